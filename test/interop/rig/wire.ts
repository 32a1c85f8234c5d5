import type { Socket } from 'node:net'

/** Reading and writing a socket with promises; whatever goes wrong names the connection and rejects, nothing hangs. */
export class Wire {
  readonly socket: Socket
  readonly #name: string
  #failure: Error | undefined
  #ended = false
  #wake: () => void = () => {}

  /** `stallMs`: the connection fails when no byte has passed either way for so long. */
  constructor(socket: Socket, name: string, stallMs = 15_000) {
    this.socket = socket
    this.#name = name
    const wake = () => this.#wake()
    socket.setNoDelay(true)
    socket.setTimeout(stallMs, () => socket.destroy(new Error(`stalled, no byte for ${stallMs} ms`)))
    socket.on('readable', wake)
    socket.on('drain', wake)
    socket.on('connect', wake)
    socket.on('end', () => {
      this.#ended = true
      wake()
    })
    socket.on('error', (error) => {
      this.#failure ??= new Error(`${this.#name}: ${error.message}`, { cause: error })
      wake()
    })
    socket.on('close', () => {
      if (!this.#ended) this.#failure ??= new Error(`${this.#name}: closed`)
      wake()
    })
  }

  async connected(): Promise<void> {
    while (this.socket.connecting) await this.#event()
    if (this.#failure) throw this.#failure
  }

  /** Exactly `length` bytes. */
  async read(length: number): Promise<Buffer> {
    for (;;) {
      const bytes: Buffer | null = this.socket.read(length)
      if (bytes?.length === length) return bytes
      if (this.#failure) throw this.#failure
      if (bytes || this.#ended) throw new Error(`${this.#name}: ended ${bytes?.length ?? 0} bytes into ${length}`)
      await this.#event()
    }
  }

  /** Whatever is there, or null after the peer's FIN. */
  async readSome(): Promise<Buffer | null> {
    for (;;) {
      const bytes: Buffer | null = this.socket.read()
      if (bytes) return bytes
      if (this.#failure) throw this.#failure
      if (this.#ended) return null
      await this.#event()
    }
  }

  /** Up to the next line feed, without it. For small lines at a quiet moment: byte by byte. */
  async readLine(): Promise<string> {
    const line: number[] = []
    for (;;) {
      const byte = (await this.read(1))[0]!
      if (byte === 0x0a) return Buffer.from(line).toString()
      line.push(byte)
    }
  }

  /** Settles when writing more is sensible. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#failure) throw this.#failure
    this.socket.write(bytes)
    while (this.socket.writableNeedDrain && !this.#failure) await this.#event()
    if (this.#failure) throw this.#failure
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** A reader and a writer may both wait: every event wakes both, and each looks for itself. */
  #event(): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#wake
      this.#wake = () => {
        this.#wake = () => {}
        resolve()
        others()
      }
    })
  }
}
