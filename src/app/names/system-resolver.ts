import type { Env } from '../../core/env.ts'
import type { Resolve } from '../../core/ground.ts'
import { createResolver } from '../../dns/resolver.ts'
import { udpDialer } from '../../net/datagrams/udp.ts'
import { systemLookup } from '../../net/names/system-lookup.ts'
import { tcpDialer } from '../../net/tcp.ts'
import { systemFiles } from './system-files.ts'

/** Resolves names as this machine's settings say. Opens and reads nothing before the first name. */
export function systemResolver({ clock, random }: Env): Resolve {
  return createResolver({
    udp: udpDialer(),
    tcp: tcpDialer({ lending: false }),
    clock,
    random,
    files: systemFiles(clock),
    system: systemLookup(),
  })
}
