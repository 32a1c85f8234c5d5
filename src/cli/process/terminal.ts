import { commandName, nameCommands } from './command-name.ts'

/** What a command sees of the process that runs it. */
export interface Terminal {
  /** Results: what a script would want to read. A line feed is added. */
  out(text: string): void
  /** Messages for the person. A line feed is added. */
  err(text: string): void
  /** Lines of the log. A line feed is added. */
  log(text: string): void
  /** How this program is typed here: `vmess`, or `node` and a path. */
  readonly command: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly errColor: boolean
  /** Standard input as text, or undefined when it is a terminal with nobody asked to type. */
  readInput(): Promise<string | undefined>
}

export function processTerminal(): Terminal {
  // `vmess test | head` closes our output early, and so does whoever closes the terminal: not worth a crash.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
  // Messages and logs on a full disk have nobody left to tell; Node tries again with the next line.
  process.stderr.on('error', () => {})
  const command = commandName(process.argv[1] ?? '', process.cwd(), process.env.PATH)
  const color = (stream: NodeJS.WriteStream) =>
    stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${nameCommands(text, command)}\n`),
    log: (text) => void process.stderr.write(`${text}\n`),
    command,
    env: process.env,
    cwd: process.cwd(),
    errColor: color(process.stderr),
    readInput: async () => (process.stdin.isTTY ? undefined : readAll(process.stdin)),
  }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  stream.setEncoding('utf8')
  let text = ''
  for await (const part of stream) text += part
  return text
}
