// Builds the pages into target/pages, unless nothing has changed since the last time. Maven runs it.
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const LIBRARIES = ['package.json', 'package-lock.json']
const CONTRACT = '../console/src/main/resources/io/felice/console/openapi.json'
const SOURCES = [...LIBRARIES, CONTRACT, 'tsconfig.json', 'vite.config.js', 'src/main/web']

step('node_modules/.felice.sha256', LIBRARIES, 'node_modules', [['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']])
step('target/pages.sha256', SOURCES, 'target/pages/index.html', [
    ['node', 'node_modules/openapi-typescript/bin/cli.js', CONTRACT, '--output', 'target/contract/openapi.d.ts'],
    ['node', 'node_modules/typescript/bin/tsc', '--noEmit'],
    ['node', 'node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'],
])

function step(stamp, inputs, output, commands) {
    const now = digest(inputs)
    if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return
    for (const [program, ...rest] of commands) {
        const { status, error, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' })
        if (error) throw error
        if (status !== 0) {
            process.stderr.write(stdout + stderr)
            process.exit(status ?? 1)
        }
    }
    mkdirSync('target', { recursive: true })
    // Maven copies the pages there, and takes away nothing: files of former builds would be in the bundle for ever.
    rmSync('target/classes/pages', { recursive: true, force: true })
    writeFileSync(stamp, now)
}

function digest(paths) {
    const hash = createHash('sha256')
    for (const file of paths.flatMap(files)) hash.update(file).update('\0').update(readFileSync(file)).update('\0')
    return hash.digest('hex')
}

function files(path) {
    return statSync(path).isDirectory() ? readdirSync(path).sort().flatMap((name) => files(join(path, name))) : [path]
}
