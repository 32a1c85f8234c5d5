import { integer, noted, openWord, text, uint32 } from '../fields.ts'
import { securities } from './users.ts'

/** What a VMess account is written with, on a server, on a client, and in a request to add one. */
export const accountFields = () => ({
  id: noted(text('UUID, or a custom string of 1 to 30 bytes.'), {
    secret: 'id',
    expected: 'a UUID or a custom id, in double quotes',
  }),
  uuid: noted(text('Another name of id, used when id is absent.'), {
    secret: 'id',
    expected: 'a UUID in double quotes',
  }),
  alterId: noted(
    integer(0, 65535, 'Number of alternative ids. 0: the AEAD header of today; above: the legacy header.'),
    {
      secret: 'near',
      overlooked: true,
    },
  ),
  security: openWord(securities, 'Encryption of the payload, chosen by the client. Default: auto.'),
  level: noted(uint32('Policy level whose timeouts apply. Default: 0.'), { secret: 'near' }),
  email: text('Names the user in logs and counters.'),
  experiments: text('AuthenticatedLength, NoTerminationSignal, or both with | between.'),
})
