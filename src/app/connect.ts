import type { DuplexSocket } from '../net/streams/duplex-socket.ts'
import { type ConnectOptions, createClient, type ServerSettings } from './client.ts'

/**
 * Opens a stream to `host:port` through a VMess server. Resolves when the server is reached; it does not wait for the
 * target, whose failure shows as an error on the stream. For more than a few streams make a client once: createClient().
 *
 * @returns a Node Duplex with true half-close: end() tells the target, and its answer still comes. It has what node:http
 * and node:tls expect of a socket, so that an `http.Agent` or `tls.connect({ socket })` can use it. Like every stream it
 * needs a listener for 'error'.
 * @throws ProxyError: LINK_INVALID or CONFIG_INVALID for the settings, the DIAL_ codes, TLS_FAILED, DNS_FAILED
 * @example
 * const stream = await connect('vmess://…', { host: 'example.com', port: 80 })
 * stream.on('error', (error) => console.error(error.message))
 * stream.end('GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
 * stream.pipe(process.stdout)
 */
export async function connect(server: ServerSettings, options: ConnectOptions): Promise<DuplexSocket> {
  const client = createClient(server)
  try {
    return await client.connect(options)
  } finally {
    // What is multiplexed ends with the stream: nobody else will use its carrier.
    void client.close()
  }
}
