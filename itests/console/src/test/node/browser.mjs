// The browser of the tests, and what they all look at.
import { chromium } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import assert from 'node:assert/strict'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const WIDE = { width: 1360, height: 860 }
export const NARROW = { width: 400, height: 820 }

let browser

export async function open() {
    browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
}

export async function close() {
    await browser?.close()
    browser = undefined
}

/**
 * Runs a test in a window of its own. Fails if the page asks another host for something, throws, or breaks the security
 * policy.
 */
export async function inWindow(url, run, { theme = 'light', size = WIDE } = {}) {
    const context = await browser.newContext({ colorScheme: theme, viewport: size })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const wrong = []
    const origin = new URL(url).origin
    page.on('request', (request) => {
        if (!request.url().startsWith(origin + '/') && !request.url().startsWith('blob:')) wrong.push(`asks another host: ${request.url()}`)
    })
    page.on('pageerror', (error) => wrong.push(`throws: ${error.stack}`))
    page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) wrong.push(`breaks the policy: ${message.text()}`)
    })
    try {
        await page.goto(url)
        const result = await run(page)
        assert.deepEqual(wrong, [])
        return result
    } catch (failure) {
        if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/failed-${Date.now()}.png` })
        throw failure
    } finally {
        await context.close()
    }
}

/** What axe finds that is serious or critical, as sentences. */
export async function findings(page, rules) {
    // The policy of the page forbids scripts that are put into it; the debugger may evaluate.
    await page.evaluate(AXE)
    const { violations } = await page.evaluate((only) => window.axe.run(document, only ? { runOnly: only } : { resultTypes: ['violations'] }), rules)
    return violations.filter((each) => each.impact === 'serious' || each.impact === 'critical').map((each) => `${each.id}: ${each.help} (${each.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')})`)
}

export const shot = async (page, name) => {
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
}

/** From an empty cluster to a topic, a record, what is found of it, and back. The same against the mock and a real node. */
export async function topicJourney(page) {
    await page.getByRole('link', { name: 'Create a topic' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('orders')
    await page.getByLabel('Partitions').fill('2')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('heading', { name: /orders/ }).waitFor()
    await page.getByText('This topic has no records').waitFor()
    await produce(page, '42', '{"item":"tea","quantity":2}')
    await produce(page, '43', '{"item":"coffee","quantity":1}')
    await page.getByRole('cell', { name: /"item":"tea"/ }).waitFor()
    await page.getByLabel('Search records').fill('coffee')
    await page.getByRole('cell', { name: /"item":"tea"/ }).waitFor({ state: 'detached' })
    await page.getByRole('cell', { name: /"item":"coffee"/ }).click()
    await page.getByText('"quantity": 1').waitFor()
    await shot(page, 'record')
}

export async function produce(page, key, value) {
    await page.getByRole('button', { name: 'Produce', exact: true }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('radiogroup', { name: 'Key written as' }).getByRole('radio', { name: 'Text' }).check()
    await dialog.getByLabel('Key', { exact: true }).fill(key)
    await dialog.getByLabel('Value', { exact: true }).fill(value)
    await dialog.getByRole('button', { name: 'Produce', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
}

export async function deleteTopic(page, name) {
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('button', { name: 'Delete the topic' }).getAttribute('aria-disabled'), 'true')
    await dialog.getByLabel(`Type ${name} to confirm`).fill(name)
    await dialog.getByRole('button', { name: 'Delete the topic' }).click()
    await dialog.waitFor({ state: 'detached' })
}

export const at = async (page, hash) => {
    await page.evaluate((to) => (location.hash = to), hash)
}
