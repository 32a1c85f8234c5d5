const day = 86_400_000
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64'

/** A version that was current about two months before: the first one, when it came, and days from one to the next. */
function versionAt(nowMs: number, first: number, since: string, everyDays: number): number {
  const days = Math.floor((nowMs - Date.parse(since)) / day)
  return Math.max(first, first + Math.floor((days - 60) / everyDays))
}

/** The User-Agent that a word of the settings stands for at a time, as in Xray; `''`: none. */
export function userAgentOf(word: string, nowMs: number): string {
  const chrome = `${windows}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${versionAt(nowMs, 144, '2026-01-13', 35)}.0.0.0 Safari/537.36`
  switch (word) {
    case 'chrome':
      return chrome
    case 'edge':
      return `${chrome} Edg/${versionAt(nowMs, 144, '2026-01-13', 35)}.0.0.0`
    case 'firefox': {
      const version = versionAt(nowMs, 128, '2024-07-29', 30)
      return `${windows}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`
    }
    case 'golang':
      return ''
    default:
      return word
  }
}
