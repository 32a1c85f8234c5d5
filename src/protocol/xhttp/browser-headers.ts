/**
 * Headers of a browser that fetches something from the page it shows, as Xray sends them. A configured User-Agent that is the
 * word for a browser stands for all of its headers; any other stands for itself, without them.
 */
import type { Header } from '../http/headers.ts'

const dayMs = 86_400_000
/** Chrome 144 came out then, and the next one each five weeks; most people have one that is a few weeks old. */
const chrome144Ms = Date.UTC(2026, 0, 13)
const chromeDays = 35

/** Of Windows; Sec-CH-UA names as Chrome orders and spells them. */
function chromium(nowMs: number, brand: string, extra: string): readonly Header[] {
  const version = 144 + Math.max(0, Math.floor((nowMs - chrome144Ms) / dayMs / chromeDays) - 1)
  return fields({
    'User-Agent': `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36${extra}`,
    'Accept-Language': 'en-US,en;q=0.9',
    DNT: '1',
    Priority: 'u=1, i',
    'Sec-CH-UA': `"Chromium";v="${version}", "${brand}";v="${version}", "Not=A?Brand";v="99"`,
    'Sec-CH-UA-Mobile': '?0',
    'Sec-CH-UA-Platform': '"Windows"',
  })
}

const firefox = fields({
  'User-Agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept-Language': 'en-US,en;q=0.5',
  DNT: '1',
  Priority: 'u=4',
})

const safari = fields({
  'User-Agent':
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
  'Accept-Language': 'en-US,en;q=0.9',
  Priority: 'u=3, i',
})

const fetching = fields({
  Accept: '*/*',
  'Cache-Control': 'no-cache',
  Pragma: 'no-cache',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Site': 'same-origin',
})

function fields(named: Readonly<Record<string, string>>): readonly Header[] {
  return Object.entries(named).map(([name, value]) => ({ name, value }))
}

/** What goes with every request: the configured headers, and those of a browser that they leave out. */
export function requestHeaders(configured: Readonly<Record<string, string>>, nowMs: number): readonly Header[] {
  const own = fields(configured)
  const agent = own.find(({ name }) => name.toLowerCase() === 'user-agent')
  const browser = browserOf(agent?.value ?? 'chrome', nowMs)
  if (!browser) return own
  const kept = own.filter((header) => header !== agent)
  const named = new Set(kept.map(({ name }) => name.toLowerCase()))
  return [...browser.filter(({ name }) => !named.has(name.toLowerCase())), ...kept]
}

function browserOf(word: string, nowMs: number): readonly Header[] | undefined {
  switch (word) {
    case 'chrome':
      return [...chromium(nowMs, 'Google Chrome', ''), ...fetching]
    case 'edge':
      return [...chromium(nowMs, 'Microsoft Edge', ' Edg/144.0.0.0'), ...fetching]
    case 'firefox':
      return [...firefox, ...fetching]
    case 'safari':
      return [...safari, ...fetching]
    case 'golang':
      return fields({ 'User-Agent': 'Go-http-client/1.1' })
    case 'curl':
      return fields({ 'User-Agent': 'curl/8.14.1' })
    default:
      return undefined
  }
}
