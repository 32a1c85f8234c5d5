/** Imports nothing: it runs before anything else is loaded. */

const idFlags = /^--?(?:id|i|input|via)(=|$)/

/**
 * Arguments without what other users of the machine must not see: a link or an id, an address that may hold a password.
 * Undefined when there is nothing to hide.
 */
export function withoutSecrets(argv: readonly string[]): string[] | undefined {
  const connects = argv[0] === 'connect'
  const shown = argv.map((arg, i) => {
    const flag = idFlags.exec(arg)
    if (flag?.[1] === '=') return arg.replace(/=.*$/s, '=…')
    if (i > 0 && idFlags.exec(argv[i - 1]!)?.[1] === '') return '…'
    // Whatever connect is given may be meant for a link; host names, ports and addresses are shorter.
    const operand = connects && i > 0 && !arg.startsWith('-') && arg.length > 15
    return operand || arg.includes('://') ? '…' : arg
  })
  return shown.some((arg, i) => arg !== argv[i]) ? shown : undefined
}

/** Writes over the command line of this process, which `ps` shows to everybody. */
export function hideSecrets(argv: readonly string[]): void {
  const shown = withoutSecrets(argv)
  if (shown) process.title = ['vmess', ...shown].join(' ')
}
