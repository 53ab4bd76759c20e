import { defineConfig } from 'vite'
import { gzipSync } from 'node:zlib'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The servlet sends these files as they are to browsers that take gzip. */
function precompressed() {
    return {
        name: 'precompressed',
        closeBundle() {
            for (const file of files(resolve('target/pages'))) {
                if (/\.(js|css|html|svg)$/.test(file)) {
                    writeFileSync(file + '.gz', gzipSync(readFileSync(file), { level: 9 }))
                }
            }
        },
    }
}

function files(directory) {
    return readdirSync(directory).flatMap((name) => {
        const path = join(directory, name)
        return statSync(path).isDirectory() ? files(path) : [path]
    })
}

export default defineConfig({
    root: 'src/main/web',
    // Relative addresses, so that the pages work below any path.
    base: './',
    esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
    build: {
        outDir: resolve('target/pages'),
        emptyOutDir: true,
        target: 'es2022',
        // The security policy forbids images in data: addresses.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    plugins: [precompressed()],
    server: { proxy: { '/api': process.env.FELICE_CONSOLE ?? 'http://127.0.0.1:8181' } },
})
