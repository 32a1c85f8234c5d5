/** Every protocol that a configuration can name. */
import { blackholeOutbound } from '../../proxy/blackhole/config.ts'
import { dokodemoInbound } from '../../proxy/dokodemo/config.ts'
import { freedomOutbound } from '../../proxy/freedom/config.ts'
import { httpInbound } from '../../proxy/http/config.ts'
import { mixedInbound } from '../../proxy/mixed/config.ts'
import { socksInbound } from '../../proxy/socks/config.ts'
import { vmessInbound, vmessOutbound } from '../../proxy/vmess/config.ts'

export const inboundKinds = [dokodemoInbound, httpInbound, mixedInbound, socksInbound, vmessInbound] as const
export const outboundKinds = [blackholeOutbound, freedomOutbound, vmessOutbound] as const
