// The console of a node of the distribution, which has just started for the first time.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { at, close, deleteTopic, findings, inWindow, open, produce, shot, topicJourney } from './browser.mjs'

const { CONSOLE_URL, CONSOLE_CODE, BOOTSTRAP } = process.env
const PASSWORD = 'a-long-password-1'

before(open)
after(close)

async function logIn(page, user, password = PASSWORD) {
    await page.getByLabel('User').fill(user)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

test('the one-time code makes the first user, who creates a topic, produces, searches and deletes', () =>
    inWindow(CONSOLE_URL, async (page) => {
        await page.getByLabel('One-time code').fill(CONSOLE_CODE)
        await page.getByLabel('User').fill('admin')
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
        await page.getByLabel('Password again').fill(PASSWORD)
        await page.getByRole('button', { name: 'Make the first user' }).click()
        await page.getByRole('heading', { name: 'Next steps' }).waitFor()
        await page.locator('.code', { hasText: BOOTSTRAP }).first().waitFor()
        await shot(page, 'real-overview')
        await topicJourney(page)
        await shot(page, 'real-records')
        await produce(page, '44', 'not json')
    }))

test('a user without a role is made, and a viewer may look and no more', async () => {
    await inWindow(CONSOLE_URL, async (page) => {
        await logIn(page, 'admin')
        await at(page, '#/security')
        await page.getByRole('button', { name: 'Make a user' }).click()
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Name', { exact: true }).fill('victor')
        await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
        await dialog.getByRole('radio', { name: /Viewer/ }).check()
        await dialog.getByRole('button', { name: 'Make a user' }).click()
        await page.getByText('victor can log in').waitFor()
        await page.getByRole('button', { name: 'Done' }).click()
        await page.getByRole('cell', { name: 'victor', exact: true }).waitFor()
    })
    await inWindow(CONSOLE_URL, async (page) => {
        await logIn(page, 'victor')
        await at(page, '#/topics')
        await page.getByRole('link', { name: 'orders' }).waitFor()
        await page.getByRole('button', { name: 'victor' }).click()
        await page.getByRole('dialog').getByText(/Viewer|Administrator/).waitFor()
    })
})

test('the offsets of a group that has read everything are set back to the beginning', () =>
    inWindow(CONSOLE_URL, async (page) => {
        execFileSync('kcat', ['-q', '-b', BOOTSTRAP, '-X', 'auto.offset.reset=earliest', '-G', 'readers', '-c', '3', 'orders'], { timeout: 60_000 })
        await logIn(page, 'admin')
        await at(page, '#/groups')
        await page.getByRole('link', { name: 'readers' }).click()
        await page.getByRole('heading', { name: /readers/ }).getByText('Empty').waitFor()
        await page.getByRole('button', { name: 'Reset offsets' }).click()
        await page.getByRole('radio', { name: /Earliest/ }).check()
        await page.getByRole('button', { name: 'Preview' }).click()
        await page.getByRole('dialog').locator('dl div', { hasText: 'Read again' }).getByText('3', { exact: true }).waitFor()
        await page.getByRole('button', { name: 'Reset now' }).click()
        await page.getByText(/offsets of \d partitions? were set/).waitFor()
        await page.getByRole('dialog').waitFor({ state: 'detached' })
        assert.equal(execFileSync('kcat', ['-q', '-b', BOOTSTRAP, '-G', 'readers', '-c', '3', 'orders'], { timeout: 60_000 }).toString().split('\n').filter(Boolean).length, 3)
    }))

test('a page of another origin changes nothing', async () => {
    for (const path of ['api/v1/topics', 'system/console/bundles/1', 'felice.svg']) {
        const answer = await fetch(new URL(path, CONSOLE_URL), { method: 'POST', headers: { Origin: 'http://evil.example', 'X-Felice-Console': '1' }, body: '{}' })
        assert.equal(answer.status, 403, path)
    }
})

test('a wrong password opens nothing, and a logout ends the session', () =>
    inWindow(CONSOLE_URL, async (page) => {
        await page.getByLabel('User').fill('admin')
        await page.getByLabel('Password').fill('guessed')
        await page.getByRole('button', { name: 'Log in' }).click()
        await page.getByRole('alert').waitFor()
        await logIn(page, 'admin')
        await page.getByRole('button', { name: 'admin' }).click()
        await page.getByRole('button', { name: 'Log out' }).click()
        await page.getByRole('heading', { name: 'Log in' }).waitFor()
        await page.reload()
        await page.getByRole('heading', { name: 'Log in' }).waitFor()
    }))

test('only the config that was changed is changed', () =>
    inWindow(CONSOLE_URL, async (page) => {
        await logIn(page, 'admin')
        await at(page, '#/topics/orders/configs?q=retention.ms')
        await page.getByRole('button', { name: 'Edit retention.ms' }).first().click()
        await page.getByLabel('Value', { exact: true }).fill('2d')
        await page.getByRole('button', { name: 'Take over' }).click()
        await page.getByRole('button', { name: 'Review 1 change' }).click()
        const dialog = page.getByRole('dialog')
        await dialog.getByText('2 d (172800000)').waitFor()
        await dialog.getByRole('button', { name: 'Save' }).click()
        await dialog.waitFor({ state: 'detached' })
        await at(page, '#/topics/orders/configs')
        await page.getByLabel('Only set on this topic').check()
        await page.getByText('2 d', { exact: false }).first().waitFor()
        assert.deepEqual((await page.locator('tbody code').allTextContents()).filter((key) => key !== 'storage.engine'), ['retention.ms'])
    }))

test('each page shows what the node says, in both themes, and axe finds nothing serious', async () => {
    const pages = ['#/', '#/topics?internal=true', '#/topics/orders', '#/topics/orders/partitions', '#/groups', '#/brokers', '#/brokers/0', '#/brokers/0/configs', '#/security', '#/security/rights', '#/security/quotas', '#/plugins', '#/configuration', '#/configuration/io.felice.network']
    for (const theme of ['light', 'dark']) {
        await inWindow(CONSOLE_URL, async (page) => {
            const answers = []
            page.on('response', (response) => {
                if (response.url().includes('/api/v1/') && response.status() >= 400) answers.push(`${response.status()} ${response.url()}`)
            })
            await logIn(page, 'admin')
            answers.length = 0
            for (const hash of pages) {
                await at(page, hash)
                await page.locator('h1').waitFor()
                await page.getByText('Loading').waitFor({ state: 'detached' })
                assert.deepEqual((await findings(page, theme === 'dark' ? ['color-contrast'] : undefined)).map((each) => `${hash} ${each}`), [])
                await shot(page, `real-${theme}-${hash.replace(/[^a-z0-9]+/gi, '-')}`)
            }
            assert.deepEqual(answers, [])
        }, { theme })
    }
})

test('a topic is deleted after its name was typed', () =>
    inWindow(CONSOLE_URL, async (page) => {
        await logIn(page, 'admin')
        await at(page, '#/topics/orders')
        await page.getByRole('heading', { name: /orders/ }).waitFor()
        await deleteTopic(page, 'orders')
        await page.getByText('There are no topics yet').waitFor()
    }))
