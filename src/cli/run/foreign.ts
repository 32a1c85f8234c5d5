/** Commands of V2Ray, v2ctl and Xray that people may try here, and what each of them is. */
const api =
  'asks a running server over gRPC; this program answers that, but has no such command: use "v2ctl api" or "xray api" with ' +
  'the address of api.listen (docs/grpc-api.md), or curl with the control API (docs/control-api.md)'
const vless = 'belongs to VLESS, another protocol than VMess'

const foreign: Readonly<Record<string, string>> = {
  api,
  cert: 'makes a self-signed certificate for V2Ray; openssl or an ACME client does that too',
  certChainHash: 'prints the hash of a certificate chain for V2Ray 5',
  config: 'merges V2Ray files; here "vmess run -dump -c FILE -c FILE" prints the merged configuration',
  engineering: 'holds tools for the developers of V2Ray',
  love: 'prints a letter in V2Ray; here is only VMess',
  mldsa65: 'makes keys for REALITY, which belongs to VLESS',
  mlkem768: vless,
  tls: 'makes and inspects TLS certificates in V2Ray and Xray; openssl does that too',
  tlsping: 'tests a TLS handshake; "openssl s_client -connect HOST:PORT" does that too',
  verify: 'checks the signature of a V2Ray release',
  vlessenc: vless,
  wg: 'makes keys for WireGuard, another protocol than VMess',
  x25519: 'makes keys for REALITY and VLESS, other protocols than VMess',
}

/** One sentence about a command of another program, or undefined. */
export function foreignCommand(name: string): string | undefined {
  return Object.hasOwn(foreign, name) ? `"${name}" ${foreign[name]}.` : undefined
}
