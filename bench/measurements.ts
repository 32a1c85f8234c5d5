/** What can be measured, in the order of the report. To add one: a file in `measure/`, and a line here. */

import { bulk } from './measure/bulk.ts'
import { connections } from './measure/connections.ts'
import { counters } from './measure/counters.ts'
import { endurance } from './measure/endurance.ts'
import { idle } from './measure/idle.ts'
import type { Measurement } from './measure/measurement.ts'
import { mux } from './measure/mux.ts'
import { roundTrip } from './measure/round-trip.ts'
import { start } from './measure/start.ts'
import { transports } from './measure/transports.ts'
import { udp } from './measure/udp.ts'

export const measurements: readonly Measurement[] = [
  bulk,
  connections,
  endurance,
  roundTrip,
  idle,
  start,
  transports,
  udp,
  mux,
  counters,
]
