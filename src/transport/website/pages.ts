/** Pages of nginx 1.22.1 as Debian ships it (test/fixtures/nginx.json has its own answers). */

import type { SiteAnswer } from '../../core/website.ts'

export const serverName = 'nginx/1.22.1'

export const reasons = {
  200: 'OK',
  301: 'Moved Permanently',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  414: 'Request-URI Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  505: 'HTTP Version Not Supported',
} as const

export type SiteStatus = keyof typeof reasons

export interface PageOptions {
  /** Stands in title and page where nginx has more to say. */
  readonly note?: string
  readonly location?: string
  readonly last?: boolean
}

/** What nginx writes for a status. */
export function page(status: SiteStatus, { note, location, last = false }: PageOptions = {}): SiteAnswer {
  const line = `${status} ${reasons[status]}`
  const html = [
    '<html>',
    `<head><title>${note ? `${status} ${note}` : line}</title></head>`,
    '<body>',
    `<center><h1>${line}</h1></center>`,
    ...(note ? [`<center>${note}</center>`] : []),
    `<hr><center>${serverName}</center>`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n')
  return {
    status,
    headers: [
      ['Content-Type', 'text/html'],
      ['Content-Length', String(html.length)],
      ...(location === undefined ? [] : ([['Location', location]] as const)),
    ],
    body: new TextEncoder().encode(html),
    last,
  }
}

/** For a request that has no meaning, after which nothing more can be understood. */
export const badRequest = (note?: string): SiteAnswer => page(400, { last: true, ...(note && { note }) })
