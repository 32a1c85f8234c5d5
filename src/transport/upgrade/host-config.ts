/** What a configuration calls the host of requests. */
import type { Place, Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import { toAscii } from '../../schema/values.ts'

/**
 * As V2Ray sends it: what follows a blank or a slash is left out, which is reported, and a name in another script takes its ASCII
 * form. A text that is no host even so is reported as an error.
 */
export function readRequestHost(written: string, place: () => Place, report: Report): string {
  const [host = ''] = written.trim().split(/[ /]/, 1)
  const [, name = '', port = ''] = /^(.*?)(:\d*)?$/.exec(host) ?? []
  const ascii = /^\p{ASCII}*$/u.test(host) ? host : `${toAscii(name) ?? ''}${port}`
  if (written.trim() !== '' && (ascii === '' || ascii === port || /\p{Cc}/u.test(ascii))) {
    report.error(
      'CFG022',
      place(),
      `${JSON.stringify(shorten(written))} cannot be a Host`,
      'write the name of a website',
    )
    return ''
  }
  if (host !== written) {
    const message = `${JSON.stringify(shorten(written))} is more than a host: ${JSON.stringify(shorten(host))} is sent, as in V2Ray`
    report.warn('CFG028', place(), message)
  }
  return ascii
}
