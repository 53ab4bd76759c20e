// The pages in a browser, against the mock.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, close, deleteTopic, findings, inWindow, NARROW, open, shot, topicJourney } from './browser.mjs'
import { mock } from './mock.mjs'

const MOST_SCRIPT = 120 * 1024

before(open)
after(close)

const with_ = async (options, run, window) => {
    const server = await mock(options)
    try {
        return await inWindow(server.url, (page) => run(page, server), window)
    } finally {
        await server.close()
    }
}

const loggedIn = (kind, run, window, more = {}) => with_({ kind, loggedIn: true, ...more }, run, window)

test('the script is at most 120 KB, compressed', () => {
    const assets = join(process.env.FELICE_PAGES, 'assets')
    const scripts = readdirSync(assets).filter((name) => name.endsWith('.js.gz'))
    assert.ok(scripts.length > 0)
    const sizes = scripts.map((name) => readFileSync(join(assets, name)))
    assert.ok(sizes.every((bytes) => gunzipSync(bytes).length > 0))
    assert.ok(sizes.reduce((sum, bytes) => sum + bytes.length, 0) <= MOST_SCRIPT)
})

test('the first user is made with the one-time code, and goes from an empty node to a record and back', () =>
    with_({ kind: 'empty' }, async (page) => {
        await page.getByRole('heading', { name: 'Welcome' }).waitFor()
        assert.deepEqual(await findings(page), [])
        await page.getByLabel('One-time code').fill('wrong')
        await page.getByLabel('Password', { exact: true }).fill('secret-1234')
        await page.getByRole('button', { name: 'Make the first user' }).click()
        await page.getByText('The passwords differ.').waitFor()
        await page.getByLabel('Password again').fill('secret-1234')
        await page.getByRole('button', { name: 'Make the first user' }).click()
        await page.getByText('The code is wrong, or it is over.').waitFor()
        await page.getByLabel('One-time code').fill('K7Q2-M4RD')
        await page.getByRole('button', { name: 'Make the first user' }).click()
        await page.getByRole('heading', { name: 'Next steps' }).waitFor()
        await topicJourney(page)
        await deleteTopic(page, 'orders')
        await page.getByText('There are no topics yet').waitFor()
    }))

test('a wrong password is refused, a right one opens the console, and a logout closes it', () =>
    with_({ kind: 'healthy' }, async (page) => {
        await page.getByLabel('User').fill('olga')
        await page.getByLabel('Password').fill('guess')
        await page.getByRole('button', { name: 'Log in' }).click()
        await page.getByText('The name or the password is wrong.').waitFor()
        await page.getByLabel('Password').fill('secret-1234')
        await page.getByRole('button', { name: 'Log in' }).click()
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        await page.getByRole('button', { name: 'olga' }).click()
        await page.getByRole('button', { name: 'Log out' }).click()
        await page.getByRole('heading', { name: 'Log in' }).waitFor()
    }))

const EVERY_PAGE = {
    '#/': 'Healthy', '#/topics': 'audit-admin', '#/topics?new=1': 'Compacted', '#/topics/orders': 'tombstone', '#/topics/orders/partitions': 'Leader', '#/topics/orders/groups': 'billing',
    '#/topics/orders/configs': 'retention.ms', '#/topics/orders/connect': 'client.properties', '#/groups': 'nightly-export', '#/groups/fraud': 'Lag by partition', '#/groups/fraud/members': 'Static id',
    '#/brokers': 'rack-3', '#/brokers/1': 'Log directories', '#/brokers/1/configs': 'log.retention.ms', '#/security': 'victor', '#/security/rights': 'User:intern', '#/security/rights?wizard=1': 'Produces in transactions',
    '#/security/quotas': 'each other', '#/security/explain': 'Which rule decides', '#/plugins': 'acme-auth', '#/plugins/acme-auth': 'Versions kept', '#/configuration': 'Storage engine log',
    '#/configuration/io.felice.network': 'idle.timeout.ms', '#/configuration/io.felice.network/history': 'olga', '#/nowhere': 'There is no such page',
}

for (const theme of ['light', 'dark']) {
    test(`axe finds nothing serious on any page, ${theme}`, () =>
        loggedIn('healthy', async (page) => {
            const found = []
            for (const [hash, text] of Object.entries(EVERY_PAGE)) {
                await at(page, hash)
                await page.getByText(text).first().waitFor()
                found.push(...(await findings(page, theme === 'dark' ? ['color-contrast'] : undefined)).map((each) => `${hash} ${each}`))
                await shot(page, `${theme}-${hash.replace(/[^a-z0-9]+/gi, '-')}`)
            }
            assert.deepEqual(found, [])
        }, { theme }))
}

test('no page is wider than a narrow screen', () =>
    loggedIn('healthy', async (page) => {
        for (const [hash, text] of Object.entries(EVERY_PAGE)) {
            await at(page, hash)
            await page.getByText(text).first().waitFor({ state: 'attached' })
            const [wide, screen] = await page.evaluate(() => [Math.max(document.documentElement.scrollWidth, document.querySelector('.main').scrollWidth), innerWidth])
            assert.ok(wide <= screen, `${hash} is ${wide} wide`)
            await shot(page, `narrow-${hash.replace(/[^a-z0-9]+/gi, '-')}`)
        }
    }, { size: NARROW }))

test('a viewer sees the buttons, and why they do not work', () =>
    loggedIn('healthy', async (page) => {
        await at(page, '#/topics')
        const button = page.getByRole('button', { name: 'Create a topic' })
        assert.equal(await button.getAttribute('aria-disabled'), 'true')
        assert.match(await button.getAttribute('title'), /needs the role Operator/)
        await button.click({ force: true })
        assert.equal(await page.getByRole('dialog').count(), 0)
        await at(page, '#/topics/orders')
        await page.getByText('You have no right to read records').first().waitFor()
        await page.getByText('hidden').first().waitFor()
        await at(page, '#/security')
        await page.getByText('Users and rights are for administrators').waitFor()
    }, {}, { role: 'viewer', rights: [] }))

test('a page whose bundle is away keeps what it knew, says so, and comes back by itself', () =>
    loggedIn('healthy', async (page, server) => {
        await at(page, '#/groups')
        await page.getByRole('link', { name: 'nightly-export' }).waitFor()
        server.away.add('groups')
        await page.getByText('The bundle io.felice.coordinator is away').waitFor()
        assert.equal(await page.getByRole('link', { name: 'nightly-export' }).isVisible(), true)
        assert.equal(await page.locator('.panel.stale').count(), 1)
        await page.getByText(/from \d+ s ago/).waitFor()
        server.away.clear()
        await page.getByText('The bundle io.felice.coordinator is away').waitFor({ state: 'detached' })
        assert.equal(await page.locator('.panel.stale').count(), 0)
    }))

test('a node that does not answer is named, and the page recovers without a reload', () =>
    loggedIn('healthy', async (page, server) => {
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        server.silent = true
        server.streams.forEach((stream) => stream.destroy())
        await page.getByText('The node does not answer').first().waitFor()
        server.silent = false
        await page.getByText('The node does not answer').first().waitFor({ state: 'detached' })
    }))

test('a hidden page asks for nothing', () =>
    loggedIn('healthy', async (page, server) => {
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        await page.evaluate(() => {
            Object.defineProperty(document, 'hidden', { value: true, configurable: true })
            document.dispatchEvent(new Event('visibilitychange'))
        })
        await until(() => server.streams.size === 0)
        await page.evaluate(() => {
            Object.defineProperty(document, 'hidden', { value: false, configurable: true })
            document.dispatchEvent(new Event('visibilitychange'))
        })
        await until(() => server.streams.size === 1)
    }))

test('of 5,000 topics only those in sight are in the page, and the last is one scroll away', () =>
    loggedIn('large', async (page, server) => {
        await at(page, '#/topics')
        await page.getByText('5,000 topics').waitFor()
        assert.ok((await page.locator('tbody tr').count()) < 80)
        await page.locator('.scroll').evaluate((element) => element.scrollTo(0, element.scrollHeight))
        await page.getByRole('link', { name: 'topic-4999' }).waitFor()
        assert.ok((await page.locator('tbody tr').count()) < 80)
        assert.ok(new Set(server.requests.filter((each) => each.startsWith('GET topics?'))).size < 5, 'only the rows in sight are asked for')
        await page.getByRole('button', { name: 'Size' }).click()
        await page.locator('th[aria-sort=descending]', { hasText: 'Size' }).waitFor()
        await page.getByLabel('Filter topics').fill('4321')
        await page.getByText('1 topic', { exact: true }).waitFor()
        assert.match(page.url(), /q=4321/)
    }))

test('the address of a page shows the same page elsewhere, and the back button works', () =>
    loggedIn('healthy', async (page, server) => {
        await at(page, '#/topics')
        await page.getByRole('link', { name: 'payments' }).click()
        await page.getByRole('link', { name: /Partitions/ }).click()
        await page.getByRole('columnheader', { name: 'Leader' }).waitFor()
        const address = page.url()
        await page.goBack()
        await page.goBack()
        await page.getByRole('heading', { name: 'Topics' }).waitFor()
        await inWindow(address, (other) => other.getByRole('columnheader', { name: 'Leader' }).waitFor())
        assert.ok(address.startsWith(server.url))
    }))

test('the pages work below a path', () => loggedIn('healthy', (page) => page.getByRole('heading', { name: 'Healthy' }).waitFor(), {}, { prefix: '/kafka/console' }))

test('every kind of record is told apart, and a search says how far it is', () =>
    loggedIn('healthy', async (page) => {
        await at(page, '#/topics/orders')
        for (const words of ['tombstone', 'commit', 'null', 'empty', '00 00 00 2a']) await page.getByRole('cell', { name: words }).first().waitFor()
        await page.getByRole('cell', { name: /00 00 00 2a/ }).click()
        await page.getByLabel('Format of Key').selectOption('integer')
        await page.locator('.record pre', { hasText: /^42$/ }).waitFor()
        await page.getByLabel('Search records').fill('second')
        await page.getByText(/looked at/).waitFor()
        await page.getByRole('cell', { name: /"item":"tea"/ }).first().click()
        assert.equal(await page.locator('.record code', { hasText: /^trace$/ }).count(), 2)
        await page.getByLabel('Search records').fill('no such thing')
        await page.getByText('No record matches').waitFor()
    }))

test('new records appear live, and stop', () =>
    loggedIn('healthy', async (page) => {
        await at(page, '#/topics/orders?from=live')
        await page.getByRole('cell', { name: /"live":/ }).first().waitFor()
        await page.getByRole('button', { name: 'Stop' }).click()
        await page.getByText('Stopped').waitFor()
    }))

test('a setting out of its range is refused with the range, and one within is shown before and after, and saved alone', () =>
    loggedIn('healthy', async (page, server) => {
        await at(page, '#/configuration/io.felice.network')
        const edit = async (value) => {
            await page.getByRole('button', { name: 'Edit io.threads' }).click()
            await page.getByRole('dialog').getByText('1 to 64').waitFor()
            await page.getByLabel('Value', { exact: true }).fill(value)
            await page.getByRole('button', { name: 'Take over' }).click()
            await page.getByRole('button', { name: 'Review 1 change' }).click()
        }
        await edit('65')
        await page.getByText('65 is above 64, the most.').waitFor()
        assert.equal(await page.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled'), 'true')
        await page.getByRole('button', { name: 'Back' }).click()
        await edit('4')
        const dialog = page.getByRole('dialog')
        await dialog.getByRole('cell', { name: 'Restart' }).waitFor()
        await dialog.getByRole('button', { name: 'Save' }).click()
        await dialog.waitFor({ state: 'detached' })
        assert.equal(server.components[0].settings.find((each) => each.key === 'io.threads').value, '4')
        assert.equal(server.components[0].settings.find((each) => each.key === 'idle.timeout.ms').value, '300000')
        await page.getByRole('link', { name: /History/ }).click()
        await page.getByRole('button', { name: /Take back change/ }).first().click()
        await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
        await until(() => server.components[0].settings.find((each) => each.key === 'io.threads').value === '2')
    }))

test('the offsets of a group with members are not reset, and of one without only after a look', () =>
    loggedIn('healthy', async (page, server) => {
        const look = async () => {
            await page.getByRole('button', { name: 'Reset offsets' }).click()
            await page.getByRole('radio', { name: /Latest/ }).check()
            await page.getByRole('button', { name: 'Preview' }).click()
        }
        await at(page, '#/groups/billing')
        await look()
        await page.getByText('The group is active').waitFor()
        assert.equal(await page.getByRole('button', { name: 'Reset now' }).count(), 0)
        await page.getByRole('button', { name: 'Cancel' }).click()
        await at(page, '#/groups/nightly-export')
        await look()
        await page.getByText(/\d skipped/).first().waitFor()
        assert.equal(server.groups[3].partitions[0].committed, 0)
        await page.getByRole('button', { name: 'Reset now' }).click()
        await page.getByText(/The offsets of \d+ partitions were set/).waitFor()
        assert.ok(server.groups[3].partitions[0].committed > 0)
    }))

test('a plugin is installed only after the node has said what speaks against it', () =>
    loggedIn('healthy', async (page) => {
        await at(page, '#/plugins?new=1')
        const file = page.getByLabel('Choose a jar or archive, or drop it here').last()
        await file.setInputFiles({ name: 'bad.jar', mimeType: 'application/java-archive', buffer: Buffer.from('x') })
        await page.getByText(/It needs the package com.example.missing/).waitFor()
        await file.setInputFiles({ name: 'acme-auth-1.3.0.jar', mimeType: 'application/java-archive', buffer: Buffer.from('x') })
        await page.getByText('acme-auth 1.3.0 fits this node.').waitFor()
        await page.getByRole('dialog').getByRole('button', { name: 'Upgrade' }).click()
        await page.getByRole('cell', { name: '1.3.0' }).waitFor()
        await page.getByRole('link', { name: 'acme-auth' }).click()
        await page.getByRole('button', { name: 'Disable' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
        await page.getByRole('button', { name: 'Enable' }).waitFor()
    }))

test('the wizard shows the rules that a consumer needs before it adds them', () =>
    loggedIn('healthy', async (page, server) => {
        await at(page, '#/security/rights?wizard=1')
        await page.getByRole('radio', { name: /Consumes/ }).check()
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Principal').fill('bob')
        await page.getByRole('alert').getByText('A principal is written TYPE:NAME').waitFor()
        await dialog.getByLabel('Principal').fill('User:bob')
        await dialog.getByLabel('Topic', { exact: true }).fill('orders')
        await dialog.getByLabel('Group', { exact: true }).fill('bobs')
        await dialog.getByRole('button', { name: 'Show the rules' }).click()
        await dialog.getByRole('button', { name: 'Add 3 rules' }).click()
        await dialog.waitFor({ state: 'detached' })
        assert.equal(server.acls.filter((each) => each.principal === 'User:bob').length, 3)
    }))

test('a long action is shown with its progress, also after a reload, and can be cancelled', () =>
    loggedIn('healthy', async (page, server) => {
        await page.getByRole('button', { name: 'Operations' }).click()
        await page.getByText('42 %').waitFor()
        await page.reload()
        await page.getByRole('button', { name: 'Operations' }).click()
        await page.getByText('42 %').waitFor()
        server.tell('operation', { ...server.operations[0], percent: 77 })
        await page.getByText('77 %').waitFor()
        await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
        await page.getByText('Cancelled', { exact: true }).waitFor()
    }))

test('the keyboard goes everywhere', () =>
    loggedIn('healthy', async (page) => {
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        await page.keyboard.press('Control+k')
        await page.keyboard.type('payments')
        await page.getByRole('option', { name: 'payments' }).waitFor()
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { name: /payments/ }).waitFor()
        await page.keyboard.press('g')
        await page.keyboard.press('b')
        await page.getByRole('cell', { name: 'rack-2' }).waitFor()
        await page.keyboard.press('g')
        await page.keyboard.press('t')
        await page.getByRole('link', { name: 'payments' }).first().waitFor()
        await page.keyboard.press('/')
        await page.keyboard.type('click')
        await page.getByText('1 topic', { exact: true }).waitFor()
    }))

test('the theme follows the system until the user chooses one', () =>
    loggedIn('healthy', async (page) => {
        const dark = () => page.evaluate(() => document.documentElement.classList.contains('dark'))
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        assert.equal(await dark(), true)
        await page.getByRole('button', { name: 'Light colours' }).click()
        await page.reload()
        await page.getByRole('heading', { name: 'Healthy' }).waitFor()
        assert.equal(await dark(), false)
    }, { theme: 'dark' }))

async function until(met) {
    for (let i = 0; i < 1200; i++) {
        if (met()) return
        await new Promise((done) => setTimeout(done, 50))
    }
    assert.fail('it did not happen within 60 s')
}
