/**
 * geoip.dat and geosite.dat, read by list: one pass over the heads of the entries says where each list lies, and only the
 * lists that are asked for are read. What lies behind them may be damaged, as with Xray.
 */
import { limits } from '../../core/limits.ts'
import { Damaged, ProtoReader, textOf } from './proto.ts'

/** A file of which parts can be read. */
export interface RandomAccess {
  readonly size: number
  /** At most `length` bytes from `at` on; fewer only at the end. */
  read(at: number, length: number): Uint8Array
}

/** Why a data file cannot be used. */
export class GeoError extends Error {}

/** An entry of a list of names, as it is in the file. */
export interface SiteEntry {
  /** 0 keyword, 1 regexp, 2 domain, 3 full. */
  readonly type: number
  readonly value: string
}

interface Slice {
  readonly at: number
  readonly length: number
}

const headSize = 64

export class DataFile {
  readonly #file: RandomAccess
  readonly #lists = new Map<string, Slice>()
  /** What ended the pass before the end of the file. */
  readonly #damage: string | undefined

  /** @throws GeoError for a file that has nothing of a data file */
  constructor(file: RandomAccess) {
    this.#file = file
    const head = file.read(0, headSize)
    if (file.size === 0) throw new GeoError('the file is empty')
    if (head[0] === 0x3c) throw new GeoError('this is an HTML page, not a data file: the download went wrong')
    if (head[0] !== 0x0a) throw new GeoError('this is not a data file: it does not begin with a list')
    this.#damage = this.#index()
  }

  /** Names of the lists, as they are written, in the order of the file. */
  readonly codes: string[] = []

  /** Entries of a list of names that have all `attributes`, which are in lower case. @throws GeoError */
  sites(code: string, attributes: readonly string[], take: (entry: SiteEntry) => void): void {
    this.#reading(code, (reader) => {
      while (!reader.done) {
        const key = reader.varint()
        if (key === 0x12) readSite(reader.bytes(), attributes, take)
        else reader.skip(key & 7)
      }
    })
  }

  /** Blocks of a list of addresses; `bytes` are a view. @throws GeoError */
  blocks(code: string, take: (bytes: Uint8Array, prefix: number) => void): void {
    this.#reading(code, (reader) => {
      while (!reader.done) {
        const key = reader.varint()
        if (key === 0x12) readBlock(reader.bytes(), take)
        else reader.skip(key & 7)
      }
    })
  }

  has(code: string): boolean {
    return this.#lists.has(code.toLowerCase())
  }

  #reading(code: string, read: (reader: ProtoReader) => void): void {
    const slice = this.#lists.get(code.toLowerCase())
    if (!slice) {
      const damage = this.#damage ? `; the file is damaged: ${this.#damage}` : ''
      throw new GeoError(`it has no list "${code}"${damage}`)
    }
    const bytes = this.#file.read(slice.at, slice.length)
    if (bytes.length < slice.length) throw new GeoError(`the list "${code}" is cut off: the file is damaged`)
    try {
      read(new ProtoReader(bytes))
    } catch (error) {
      if (error instanceof Damaged) throw new GeoError(`the list "${code}" is damaged: ${error.message}`)
      throw error
    }
  }

  #index(): string | undefined {
    const { size } = this.#file
    let at = 0
    try {
      while (at < size) {
        const head = this.#file.read(at, headSize)
        const reader = new ProtoReader(head)
        if (reader.varint() !== 0x0a) return `there is no list at byte ${at}`
        const length = reader.varint()
        const slice = { at: at + reader.at, length }
        const code = this.#codeOf(slice, head.subarray(reader.at))
        if (!this.#lists.has(code.toLowerCase())) {
          this.#lists.set(code.toLowerCase(), slice)
          this.codes.push(code)
        }
        if (this.#lists.size > limits.geoLists) return `it has more than ${limits.geoLists} lists`
        at = slice.at + length
      }
      return undefined
    } catch (error) {
      if (error instanceof Damaged) return error.message
      throw error
    }
  }

  /** All known programs write the name first; otherwise the whole entry is read for it. */
  #codeOf(slice: Slice, head: Uint8Array): string {
    if (head[0] === 0x0a && head[1]! < 0x80 && head.length >= 2 + head[1]!)
      return textOf(head.subarray(2, 2 + head[1]!))
    const reader = new ProtoReader(this.#file.read(slice.at, slice.length))
    while (!reader.done) {
      const key = reader.varint()
      if (key === 0x0a) return textOf(reader.bytes())
      reader.skip(key & 7)
    }
    return ''
  }
}

function readSite(bytes: Uint8Array, wanted: readonly string[], take: (entry: SiteEntry) => void): void {
  const reader = new ProtoReader(bytes)
  let type = 0
  let value = ''
  const attributes: string[] = []
  while (!reader.done) {
    const key = reader.varint()
    if (key === 0x08) type = reader.varint()
    else if (key === 0x12) value = textOf(reader.bytes())
    else if (key === 0x1a && wanted.length > 0) attributes.push(readAttribute(reader.bytes()))
    else reader.skip(key & 7)
  }
  if (wanted.every((name) => attributes.includes(name))) take({ type, value })
}

function readAttribute(bytes: Uint8Array): string {
  const reader = new ProtoReader(bytes)
  while (!reader.done) {
    const key = reader.varint()
    if (key === 0x0a) return textOf(reader.bytes()).toLowerCase()
    reader.skip(key & 7)
  }
  return ''
}

function readBlock(bytes: Uint8Array, take: (bytes: Uint8Array, prefix: number) => void): void {
  const reader = new ProtoReader(bytes)
  let ip: Uint8Array = bytes.subarray(0, 0)
  let prefix = 0
  while (!reader.done) {
    const key = reader.varint()
    if (key === 0x0a) ip = reader.bytes()
    else if (key === 0x10) prefix = reader.varint()
    else reader.skip(key & 7)
  }
  // Xray passes over addresses of another length.
  if ((ip.length === 4 && prefix <= 32) || (ip.length === 16 && prefix <= 128)) take(ip, prefix)
}
