import type { Methods, ServiceDeps } from './service.ts'

export const loggerService = ({ control }: ServiceDeps): Methods => ({
  RestartLogger: async () => {
    await control.restartLog()
    return {}
  },
})
