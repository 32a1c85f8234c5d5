import { expect, it } from 'vitest'
import { withoutSecrets } from './hide-secrets.ts'

const link = 'vmess://b831381d-6324-4d53-ad4f-8cda48b30811@server.example.com:443'

it.each([
  [['connect', link], 'connect …'],
  [['connect', link, '--port', '1080'], 'connect … --port 1080'],
  [['connect', '--listen', '127.0.0.1', link], 'connect --listen 127.0.0.1 …'],
  [['connect', 'n = vmess, h, 1, username=x'], 'connect …'],
  [['connect', '-', '--via', 'socks5://a:b@c.example:1080'], 'connect - --via …'],
  [['connect', '-', '--via=http://a:b@c'], 'connect - --via=…'],
  [['connect', '-', '--via', 'u:p@h:1'], 'connect - --via …'],
  [['connect', '-', '--via', 'user:secret@host:1'], 'connect - --via …'],
  [['serve', '--id', 'garden gate'], 'serve --id …'],
  [['serve', '-id=x', '--host', 'a.example'], 'serve -id=… --host a.example'],
  [['uuid', '-i', 'x'], 'uuid -i …'],
  [['-c', 'https://user:pass@a.example/c.json'], '-c …'],
  [['run', '-c=https://a.example/?token=1'], 'run …'],
])('%j is shown as %s', (argv, shown) => {
  expect(withoutSecrets(argv)?.join(' ')).toBe(shown)
})

it.each([
  [['run', '-c', 'config.json']],
  [['connect', '-']],
  [['connect', '--link-file', 'a.txt']],
  [['start']],
  [[]],
])('%j has nothing to hide', (argv) => {
  expect(withoutSecrets(argv)).toBeUndefined()
})
