// The client of bench/load.mjs lists: one call to the gRPC API.
import { Client, credentials } from '@grpc/grpc-js'
import { loadTypes } from '../../dist/api/grpc/types.js'

const services = {
  HandlerService: 'app.proxyman.command.HandlerService',
  StatsService: 'app.stats.command.StatsService',
}

/** @param {number} port on loopback */
export async function call(port, name, request) {
  const types = await loadTypes()
  const options = { 'grpc.max_receive_message_length': -1 }
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  const [service, method] = name.split('.')
  const { path, requestSerialize, responseDeserialize } = types.service(services[service], 'v2ray')[method]
  const answer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
      error ? reject(error) : resolve(response),
    )
  })
  client.close()
  if (Object.values(answer)[0].length < 1000) throw new Error('that is not everything')
}
