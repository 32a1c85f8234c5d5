/** Shorter ones are found nearly everywhere. */
const shortest = 3

/**
 * A text that is in everything that an expression matches, as long a one as can be told at a glance: plain characters one
 * behind the other, outside of groups and classes. Undefined where there is none, or where it is not plain to see.
 */
export function requiredText(expression: string): string | undefined {
  // Flags change what characters mean, and \Q what follows it.
  if (/\(\?(?!:|P?<)|\\Q/.test(expression)) return undefined
  let best = ''
  let run = ''
  let depth = 0
  const end = (): void => {
    if (run.length > best.length) best = run
    run = ''
  }
  for (let at = 0; at < expression.length; at++) {
    const sign = expression[at]!
    if (sign === '\\') {
      const [plain, length] = escaped(expression, at)
      if (plain === undefined) end()
      else if (depth === 0) run += plain
      at += length
    } else if (sign === '[') {
      end()
      at = classEnd(expression, at)
    } else if (sign === '(' || sign === ')') {
      end()
      depth += sign === '(' ? 1 : -1
    } else if (sign === '|') {
      if (depth === 0) return undefined
    } else if (sign === '*' || sign === '?' || sign === '{') {
      // What stands in front may be missing.
      run = run.slice(0, -1)
      end()
      if (sign === '{') at = expression.indexOf('}', at)
      if (at < 0) return undefined
    } else if (sign === '+' || sign === '.' || sign === '^' || sign === '$') end()
    else if (depth === 0) run += sign
  }
  end()
  return best.length >= shortest ? best : undefined
}

/** The character that an escape stands for, if it is punctuation, and how many characters follow the backslash. */
function escaped(expression: string, at: number): [plain: string | undefined, length: number] {
  const rest = expression.slice(at + 1)
  const long = /^(?:[pP]\{[^}]*\}|[pP].|x\{[^}]*\}|x..|[0-7]{1,3})/.exec(rest)
  if (long) return [undefined, long[0].length]
  return [/^[^A-Za-z0-9]/.test(rest) ? rest[0] : undefined, 1]
}

/** Index of the bracket that closes a class; one that comes first is a character of it. */
function classEnd(expression: string, at: number): number {
  let next = at + 1
  if (expression[next] === '^') next++
  if (expression[next] === ']') next++
  for (; next < expression.length && expression[next] !== ']'; next++) {
    if (expression[next] === '\\') next++
    else if (expression.startsWith('[:', next)) next = Math.max(next, expression.indexOf(':]', next) + 1)
  }
  return next
}
