/** The entry of a table under a word that came from outside: `constructor` and `__proto__` are words like any other. */
export const lookUp = <T>(table: Readonly<Record<string, T>>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined
