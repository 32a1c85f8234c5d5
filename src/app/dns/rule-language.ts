import type { RuleLanguage } from './names.ts'

/** PLACEHOLDER */
const matchOf = (rule: string, plain: string) => {
  const m = /^(keyword|domain|full|regexp|dotless):(.*)$/s.exec(rule)
  const [kind, text] = m ? [m[1]!, m[2]!] : [plain, rule]
  return {
    kind,
    rank: kind === 'full' ? 1000 : kind === 'domain' ? text.split('.').length : 0,
    is: (n: string) =>
      kind === 'full'
        ? n === text.toLowerCase()
        : kind === 'domain'
          ? n === text || n.endsWith('.' + text)
          : kind === 'regexp'
            ? new RegExp(text).test(n)
            : kind === 'dotless'
              ? !n.includes('.') && n.includes(text)
              : n.includes(text),
  }
}
export const ruleLanguage: RuleLanguage = {
  names: (rules) => {
    const all = rules.map((r) => matchOf(r, 'keyword'))
    return (n) => all.some((m) => m.is(n))
  },
  rank: (rules) => {
    const all = rules.map((r, i) => ({ ...matchOf(r, 'full'), i }))
    return (n) =>
      all
        .filter((m) => m.is(n))
        .sort((a, b) => b.rank - a.rank || a.i - b.i)
        .map((m) => m.i)
  },
  addresses: (rules) => (a) =>
    rules.some((r) => {
      const [base, bits] = r.split('/')
      const num = (x: string) => x.split('.').reduce((s, b) => s * 256 + Number(b), 0)
      const k = 2 ** (32 - Number(bits ?? 32))
      return !a.includes(':') && Math.floor(num(a) / k) === Math.floor(num(base!) / k)
    }),
}
