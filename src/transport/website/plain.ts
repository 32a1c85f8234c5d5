import type { SiteAnswer, Website } from '../../core/website.ts'
import { badRequest, page } from './pages.ts'
import { siteTarget } from './target.ts'

/** A server without pages. Its answers depend on nothing but the request, so a path that leads somewhere answers as any other. */
export const plainSite: Website = {
  configured: false,
  answer: async ({ method, target }) => refusalOf(method, target) ?? page(404),
}

/** What is refused before anybody looks for a file. */
export function refusalOf(method: string, target: string): SiteAnswer | undefined {
  if (method === 'TRACE') return page(405, { last: true })
  return siteTarget(target) ? undefined : badRequest()
}
