// The compiler takes over .ts files only; the messages of the gRPC API are read from .proto files at run time.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = 'api/grpc/proto'
const at = (base) => fileURLToPath(new URL(`../${base}/${folder}`, import.meta.url))

cpSync(at('src'), at('dist'), { recursive: true })
