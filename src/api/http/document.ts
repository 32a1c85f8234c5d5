/** The OpenAPI document, made from the schemas that check the requests. */
import type { Api } from './deps.ts'

const description =
  `What a running vmess instance can be asked and told. Times are ISO 8601 in UTC, sizes plaintext bytes,
speeds plaintext bytes per second. An error is \`{"error": {"code", "message", "hint"?, "field"?}}\`; codes are stable.
Every route but /health, /ready and /openapi.json asks for the token.`.replaceAll('\n', ' ')

/** Contains no data of the instance. */
export function openApiDocument(api: Api): object {
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'vmess control API',
      version: '1',
      description,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    servers: [{ url: 'http://127.0.0.1:9010', description: 'As `control.listen` says.' }],
    tags: [
      { name: 'state', description: 'How it is doing.' },
      { name: 'users', description: 'Users of vmess inbounds, by e-mail.' },
      { name: 'sessions', description: 'What is being carried.' },
      { name: 'configuration', description: 'What it runs on.' },
    ],
  })
}
