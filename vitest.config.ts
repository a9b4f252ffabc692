import { defineConfig } from 'vitest/config'

const quick = ['test/*.test.ts', 'test/jobs/domain/**/*.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // See `surviveLostConnections` in db/client.ts: the process goes on, so must the run.
    onUnhandledError: (error) => !(/null \(reading 'write'\)/.test(error.message) && /postgres\/src\/connection/.test(error.stack ?? '')),
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'quick', include: quick } },
      {
        extends: true,
        test: { name: 'world', include: ['test/**/*.test.ts'], exclude: quick, globalSetup: './test/support/global-setup.ts' },
      },
    ],
  },
})
