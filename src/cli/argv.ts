/**
 * Command lines as people type them for V2Ray and Xray, turned into the form that the parser behind knows.
 *
 * Go's flags have one dash or two, and `-flag value` or `-flag=value`. So `-config f`, `--config=f` and `-c f` all become
 * `--config=f`; joined, because the value may begin with a dash itself. No command at all means `run`.
 */

/** Flags that take a value, and other spellings of them. */
const valueFlags: Readonly<Record<string, string>> = {
  c: 'config',
  choose: 'choose',
  config: 'config',
  confdir: 'confdir',
  d: 'confdir',
  format: 'format',
  host: 'host',
  i: 'input',
  id: 'id',
  input: 'input',
  'link-file': 'link-file',
  listen: 'listen',
  'log-format': 'log-format',
  merge: 'merge',
  name: 'name',
  port: 'port',
  'tls-cert': 'tls-cert',
  'tls-key': 'tls-key',
  workers: 'workers',
}

const switches: Readonly<Record<string, string>> = {
  'allow-unapplied-rules': 'allow-unapplied-rules',
  dump: 'dump',
  h: 'help',
  help: 'help',
  json: 'json',
  'log-json': 'log-json',
  r: 'recursive',
  recursive: 'recursive',
  'skip-unsupported': 'skip-unsupported',
  strict: 'strict',
  test: 'test',
  v: 'version',
  version: 'version',
}

/** Arguments after the program's name → a command followed by GNU-style flags and operands. */
export function normaliseArgv(argv: readonly string[]): string[] {
  const named = argv[0] !== undefined && !argv[0].startsWith('-')
  const command = named ? argv[0]! : undefined
  const args = normaliseFlags(named ? argv.slice(1) : argv)
  if (command !== undefined) return [command, ...args]
  if (args.includes('--version')) return ['version']
  if (args.includes('--help')) return ['help']
  return ['run', ...args]
}

function normaliseFlags(argv: readonly string[]): string[] {
  const args: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!
    if (arg === '--') return [...args, ...argv.slice(i)]
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg)
    if (!match) {
      args.push(arg)
      continue
    }
    const [, name = '', inline] = match
    if (Object.hasOwn(valueFlags, name)) {
      // Without anything to take, the bare flag makes the parser say what is missing.
      const value = inline ?? argv[++i]
      args.push(value === undefined ? `--${valueFlags[name]}` : `--${valueFlags[name]}=${value}`)
    } else if (Object.hasOwn(switches, name)) {
      if (isOn(inline)) args.push(`--${switches[name]}`)
      else if (!isOff(inline)) args.push(`--${switches[name]}=${inline}`)
    } else {
      args.push(inline === undefined ? `--${name}` : `--${name}=${inline}`)
    }
  }
  return args
}

/** Go accepts these words for a boolean. */
const isOn = (value: string | undefined) => value === undefined || /^(1|t|true)$/i.test(value)
const isOff = (value: string | undefined) => value !== undefined && /^(0|f|false)$/i.test(value)
