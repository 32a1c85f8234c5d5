/**
 * What makes a message unusable. The message of such an error is one line for people, and goes to the client as the body
 * of the refusal: it says nothing about this machine.
 */

import { ProxyError } from '../../core/errors.ts'

export type MessageKind = 'request' | 'response'

/** Statuses of a refusal that the request itself is the reason of. */
export type RequestStatus = 400 | 431 | 505

/** A request that is refused with an answer; HTTP_BAD_REQUEST. */
export class BadRequest extends ProxyError {
  readonly status: RequestStatus

  constructor(reason: string, status: RequestStatus = 400) {
    super('HTTP_BAD_REQUEST', reason)
    this.status = status
  }
}

/** A message with something that cannot be accepted; `what` names it, as "a folded header line". */
export const unacceptable = (kind: MessageKind, what: string): ProxyError =>
  kind === 'request'
    ? new BadRequest(`the request cannot be served: ${what}`)
    : new ProxyError('HTTP_BAD_RESPONSE', `the server's answer cannot be passed on: ${what}`)
