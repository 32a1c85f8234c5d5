/** `dsSettings`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { acceptProxyProtocol, flag, object, text } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'

/** Room for a path in the address structure of Linux, bytes. */
const pathMax = 108

const schema = object(() => ({
  path: text('Path of the socket, or its abstract name. Required.'),
  abstract: flag('Linux: the path is a name without a file. Default: false.'),
  padding: flag('The abstract name is filled up with zero bytes, as HAProxy does it. Default: false.'),
  acceptProxyProtocol: acceptProxyProtocol(),
})).describe('Settings of the ds transport.')

type Input = z.output<typeof schema>

export interface DomainSocketConfig {
  /** As Address.path. */
  readonly path: string
}

export const dsForm = transportForm({
  name: 'ds',
  aliases: ['domainsocket'],
  description: 'A unix socket instead of TCP, whatever address and port are given',
  schema,
  settingsKeys: { dsSettings: undefined },
  build: (input: Input | undefined = {}, context: Context): DomainSocketConfig => ({ path: pathOf(input, context) }),
})

function pathOf(owner: Input, { report }: Context): string {
  const { path = '', abstract = false, padding = false } = owner
  const place = report.at(owner, 'path')
  if (path === '') {
    report.error('CFG024', place, 'the ds transport has no "path"', 'write "dsSettings": { "path": "/run/vmess.sock" }')
    return ''
  }
  const named = abstract && !path.startsWith('\0') ? `\0${path}` : path
  const length = new TextEncoder().encode(named).length
  const room = abstract ? pathMax : pathMax - 1
  if (length > room) {
    report.error('CFG028', place, `the path of this unix socket has ${length} bytes; expected at most ${room}`)
  }
  if (!abstract && !path.startsWith('/')) {
    report.error(
      'CFG028',
      place,
      'the path of a unix socket must begin with /',
      'a name without a file takes "abstract": true',
    )
  }
  if (padding && !abstract) {
    report.warn('CFG030', report.at(owner, 'padding'), '"padding" has no effect without "abstract": true')
  }
  return abstract && padding ? named + '\0'.repeat(Math.max(0, pathMax - length)) : named
}
