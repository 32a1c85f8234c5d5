import type { Address } from '../../core/address.ts'
import { decodePortFirst, portFirstLength, portFirstMax } from '../wire/port-first.ts'
import {
  bareMetadata,
  type Frame,
  globalIdLength,
  type Network,
  networks,
  optionBits,
  type Status,
  statuses,
} from './model.ts'

const statusNames = invert<Status>(statuses)
const networkNames = invert<Network>(networks)

function invert<T extends string>(table: Readonly<Record<T, number>>): readonly (T | undefined)[] {
  const names: (T | undefined)[] = []
  for (const name of Object.keys(table) as T[]) names[table[name]] = name
  return names
}

/** Reads the metadata of one frame after the other into itself. */
export class MetadataReader implements Frame {
  session = 0
  status: Status = 'keepAlive'
  error = false
  dataLength = 0
  network: Network | undefined
  address: Address | undefined
  globalId: Uint8Array | undefined
  malformed: string | undefined
  readonly #addresses = new LastAddress()

  /** Reads bytes[at, end), 4 to 512 bytes. False: the status is unknown, and nothing counts. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    const status = statusNames[bytes[at + 2]!]
    if (status === undefined) return false
    this.session = (bytes[at]! << 8) | bytes[at + 1]!
    this.status = status
    this.error = (bytes[at + 3]! & optionBits.error) !== 0
    this.dataLength = 0
    this.network = this.address = this.globalId = this.malformed = undefined
    const hasData = (bytes[at + 3]! & optionBits.data) !== 0
    if (status === 'new') this.#readNew(bytes, at + bareMetadata, end, hasData)
    // What else may stand behind the metadata of Keep is not an address; of End and KeepAlive nothing is read.
    else if (status === 'keep' && end - at > bareMetadata && bytes[at + bareMetadata] === networks.udp) {
      this.#readAddress(bytes, at + bareMetadata + 1, end)
    }
    return true
  }

  #readNew(bytes: Uint8Array, at: number, end: number, hasData: boolean): void {
    this.network = at < end ? networkNames[bytes[at]!] : undefined
    if (this.network === undefined) {
      this.malformed = at < end ? `the unknown network ${bytes[at]}` : 'no target'
      return
    }
    const behind = this.#readAddress(bytes, at + 1, end)
    // Xray looks for it on these conditions only; what its reverse proxies write there instead comes without data.
    if (this.malformed || !hasData || this.network !== 'udp' || end - behind < globalIdLength) return
    const id = bytes.slice(behind, behind + globalIdLength)
    if (id.some((byte) => byte !== 0)) this.globalId = id
  }

  #readAddress(bytes: Uint8Array, at: number, end: number): number {
    const length = portFirstLength(bytes, at, end)
    this.address = length === 0 ? undefined : this.#addresses.decode(bytes, at, length)
    if (this.address === undefined) this.malformed = 'an impossible address'
    return at + length
  }
}

/** Most datagrams come from where the one before came from: its address is not made again. */
class LastAddress {
  readonly #block = new Uint8Array(portFirstMax)
  #length = 0
  #address: Address | undefined

  decode(bytes: Uint8Array, at: number, length: number): Address | undefined {
    if (!this.#isLast(bytes, at, length)) {
      this.#block.set(bytes.subarray(at, at + length))
      this.#length = length
      this.#address = decodePortFirst(this.#block.subarray(0, length))
    }
    return this.#address
  }

  #isLast(bytes: Uint8Array, at: number, length: number): boolean {
    if (length !== this.#length) return false
    for (let i = 0; i < length; i++) if (bytes[at + i] !== this.#block[i]) return false
    return true
  }
}
