/** What an e-mail must be so that counters, logs, the store and paths of requests can name the user. */

const lengthMax = 256

/** What is wrong with it; undefined when nothing is. Any other text will do, addresses or not. */
export function emailFault(email: string): string | undefined {
  if (email.length > lengthMax) return `an e-mail has ${lengthMax} characters at the most`
  // Halves of characters all become the same one where they are written as UTF-8.
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(email)) return 'an e-mail has no line breaks and no other control characters'
  // In a path they stand for folders, percent-encoded too.
  return /^\.\.?$/.test(email) ? `${JSON.stringify(email)} cannot name a user` : undefined
}
