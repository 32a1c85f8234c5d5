/** dokodemo-door in the messages of the gRPC API. */
import type { Fields, Typed } from '../../messages/fields.ts'
import { given, hostOf } from '../../messages/values.ts'

export const dokodemoInboundJson = ({ fields }: Typed): object =>
  given({
    address: hostOf(fields.message('address')),
    port: fields.number('port'),
    network: networksOf(fields),
    portMap: Object.fromEntries(fields.entries('port_map')),
    followRedirect: fields.flag('follow_redirect'),
    timeout: fields.number('timeout'),
    userLevel: fields.number('user_level'),
  })

const networks: Readonly<Record<number, string>> = { 1: 'tcp', 2: 'tcp', 3: 'udp', 4: 'unix' }

function networksOf(fields: Fields): string {
  const newer = fields.values<number>('networks')
  const older = fields.message('network_list')?.values<number>('network') ?? []
  const numbers = newer.length > 0 ? newer : older
  return numbers.map((number) => networks[number] ?? `network ${number}`).join(',')
}
