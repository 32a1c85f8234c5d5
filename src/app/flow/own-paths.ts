/** What a flow has passed: marks of inbounds, in order. */
export type Path = readonly string[]

/** Sockets of ours that lead back to us, by their local endpoint, and what the flow on each has passed. */
export interface Paths {
  get(endpoint: string): Path | undefined
  set(endpoint: string, path: Path): void
  delete(endpoint: string): void
}

/** Where a guard against loops remembers; several threads can have one. */
export interface OwnPaths {
  /** Our own connections to our own ports. */
  readonly streams: Paths
  /** Our own UDP sockets that have sent to our own ports: the key is only the port. */
  readonly datagrams: Paths
  /** A port of ours. */
  listening(port: number): void
  isOurs(port: number): boolean
  /** How an inbound stands in a path. */
  mark(inbound: string): string
}

/** Those of one thread. */
export function ownPaths(): OwnPaths {
  const ports = new Set<number>()
  return {
    streams: new Map<string, Path>(),
    datagrams: new Map<string, Path>(),
    listening: (port) => void ports.add(port),
    isOurs: (port) => ports.has(port),
    mark: (inbound) => inbound,
  }
}
