/** What a command sees of the process that runs it. */
export interface Terminal {
  /** Results: what a script would want to read. A line feed is added. */
  out(text: string): void
  /** Messages for the person. A line feed is added. */
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly outColor: boolean
  readonly errColor: boolean
  /** Standard input as text, or undefined when it is a terminal with nobody asked to type. */
  readInput(): Promise<string | undefined>
}

export function processTerminal(): Terminal {
  // `vmess test | head` closes our output early, and so does whoever closes the terminal: not worth a crash.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
  const color = (stream: NodeJS.WriteStream) =>
    stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    outColor: color(process.stdout),
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
