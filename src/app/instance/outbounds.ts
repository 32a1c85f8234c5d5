import type { Outbound } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { OutboundConfig, ReverseEnd } from '../../settings/model.ts'

/** An outbound at work and what it was built from. */
export interface RunningOutbound {
  readonly outbound: Outbound
  /** Absent for a portal, and for the one that serves the API. */
  readonly config?: OutboundConfig
  /** Of a portal of the reverse proxy. */
  readonly portal?: ReverseEnd
  /** Text of the files that were read for it, such as certificates. */
  readonly files?: readonly string[]
}

/** The outbounds of an instance in their order; the first of the configured ones is the default route. */
export class Outbounds {
  #list: readonly RunningOutbound[] = []
  /** Of several with one tag the first. */
  #byTag: ReadonlyMap<string, RunningOutbound> = new Map()

  /** Where flows go for which no rule says otherwise. */
  get first(): Outbound | undefined {
    return this.#list.find(({ config }) => config !== undefined)?.outbound
  }

  get(tag: string): RunningOutbound | undefined {
    return this.#byTag.get(tag)
  }

  set #entries(list: readonly RunningOutbound[]) {
    this.#list = list
    this.#byTag = new Map(list.toReversed().map((running) => [running.outbound.tag, running]))
  }

  /** The one with this tag that others may go through: not the API, which no client of a proxy may reach. */
  passable(tag: string): Outbound | undefined {
    const running = this.get(tag)
    return running && !isApi(running) ? running.outbound : undefined
  }

  /** Tags of the outbounds that the connections of this one go through, the next one first; undefined: they leave from here. */
  waysOf(outbound: Outbound): readonly string[] | undefined {
    const running = this.#list.find((one) => one.outbound === outbound)
    return running?.config?.through && chainFrom(running, this.#list).tags
  }

  /** Adds one at the end. @throws ProxyError CONTROL_CONFLICT */
  add(running: RunningOutbound): void {
    const { tag } = running.outbound
    if (tag !== '' && this.get(tag)) {
      throw new ProxyError('CONTROL_CONFLICT', `there is an outbound with the tag "${tag}" already`)
    }
    const list = [...this.#list, running]
    mustEnd(list)
    this.#entries = list
  }

  /** Takes one out; flows that it carries live on. False when there is none. */
  remove(tag: string): boolean {
    const running = this.get(tag)
    if (!running?.config) return false
    this.#entries = this.#list.filter((other) => other !== running)
    void running.outbound.close()
    return true
  }

  /** These, in this order, instead of all that were configured. What is not among them any more is closed. */
  replace(list: readonly RunningOutbound[]): void {
    const gone = this.#list.filter((old) => !isApi(old) && !list.some((kept) => kept.outbound === old.outbound))
    this.#entries = [...list, ...this.#list.filter(isApi)]
    for (const { outbound } of gone) void outbound.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.#list.map(({ outbound }) => outbound.close()))
  }

  [Symbol.iterator](): IterableIterator<RunningOutbound> {
    return this.#list[Symbol.iterator]()
  }
}

const isApi = ({ config, portal }: RunningOutbound): boolean => !config && !portal

/** What an outbound leads through, up to one that leaves from here, is not there, or has been passed: a ring. */
function chainFrom(
  start: RunningOutbound,
  list: readonly RunningOutbound[],
): { readonly tags: readonly string[]; readonly ring: boolean } {
  const tags: string[] = []
  for (let tag = start.config?.through?.tag; tag !== undefined; ) {
    tags.push(tag)
    if (tag === start.outbound.tag || tags.indexOf(tag) < tags.length - 1) return { tags, ring: true }
    const name = tag
    tag = list.find(({ outbound }) => outbound.tag === name)?.config?.through?.tag
  }
  return { tags, ring: false }
}

/** Chains must lead out. @throws ProxyError CONTROL_CONFLICT */
export function mustEnd(list: readonly RunningOutbound[]): void {
  for (const running of list) {
    const { tags, ring } = chainFrom(running, list)
    if (!ring) continue
    const names = [running.outbound.tag, ...tags].map((tag) => JSON.stringify(tag)).join(' → ')
    throw new ProxyError('CONTROL_CONFLICT', `these outbounds would lead through each other in a ring: ${names}`)
  }
}
