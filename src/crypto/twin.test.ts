/** How the twin is found, and what happens where it cannot be used. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, it } from 'vitest'
import { describeTwin, loadTwin, twin } from './twin.ts'

interface Script {
  compile(units: readonly string[], output: string, binding?: string): string | undefined
}
const { compile }: Script = await import(new URL('../../scripts/native.mjs', import.meta.url).href)
const root = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)

describe('the native twin', () => {
  it('is what it says of itself', () => {
    const off = process.env.VMESS_NATIVE === 'off'
    if (off) expect([twin(), describeTwin()]).toEqual([undefined, 'none (VMESS_NATIVE=off)'])
    else
      expect(describeTwin()).toMatch(
        twin() ? /^\w+-\w+ \(aes-128-gcm: (vaes|openssl), user search: (vaes|aes-ni|TypeScript)\)$/ : /^none \(.+\)$/,
      )
  })

  it.each([
    ['it is switched off', undefined, 'VMESS_NATIVE=off'],
    ['it was built from other sources', () => ({ interfaceVersion: 0 }), 'built from other sources'],
    ['loading throws', () => require('./no-such-folder/vmess.node'), /^Cannot find module/],
    [
      'nothing was built',
      () => require('node-gyp-build')(tmpdir()),
      `not built for ${process.platform}-${process.arch}`,
    ],
  ])('is absent with a reason where %s', (_name, open, reason) => {
    expect(loadTwin(open)).toEqual({
      twin: undefined,
      reason: reason instanceof RegExp ? expect.stringMatching(reason) : reason,
    })
  })
})

const built = loadTwin(() => require('node-gyp-build')(root)).twin

it.skipIf(!built)('serves several threads, which come and go', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    const into = new Uint8Array(16)
    require(workerData).authIdKey(new Uint8Array(16), into)
    parentPort.postMessage(into)`
  const here = new Uint8Array(16)
  built!.authIdKey(new Uint8Array(16), here)
  for (let turn = 0; turn < 3; turn++) {
    const threads = [0, 1].map(
      () => new Worker(program, { eval: true, workerData: require('node-gyp-build').path(root) }),
    )
    const keys = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0]))
    expect(keys).toEqual([here, here])
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
})

/** A host that lacks a function of OpenSSL, as another OpenSSL would: seen from here, a twin that calls one which nobody has. */
const unit = `
#include <node_api.h>
extern "C" int EVP_of_another_openssl();
static napi_value call(napi_env, napi_callback_info) { EVP_of_another_openssl(); return nullptr; }
NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  napi_create_function(env, "call", NAPI_AUTO_LENGTH, call, nullptr, &function);
  napi_set_named_property(env, exports, "call", function);
  return exports;
}
`
const folder = mkdtempSync(join(tmpdir(), 'vmess-twin-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'unit.cc'), unit)
const output = (name: string) => join(folder, `${name}.node`)
const missing = compile([join(folder, 'unit.cc')], output('now'))

describe.skipIf(missing)(`a file whose functions the host lacks${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('is refused when it is loaded, in a way that can be caught', () => {
    expect(loadTwin(() => require(output('now')))).toEqual({
      twin: undefined,
      reason: expect.stringContaining('undefined symbol: EVP_of_another_openssl'),
    })
  })

  it('would end the process at the first call if it were not bound at once', () => {
    expect(compile([join(folder, 'unit.cc')], output('lazy'), '-Wl,-z,lazy')).toBeUndefined()
    const program = `const it = require(${JSON.stringify(output('lazy'))}); try { it.call() } catch { console.log('caught') }`
    const run = () => execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', stdio: 'pipe' })
    expect(run).toThrow(/symbol lookup error/)
  })
})
