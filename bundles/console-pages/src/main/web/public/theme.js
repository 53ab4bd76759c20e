// Runs before the first paint, so that the page does not flash in the other theme.
;(function () {
    var wanted = null
    try {
        wanted = localStorage.getItem('felice.theme')
    } catch (refused) {
        // A browser may keep storage from pages: then the theme of the system counts.
    }
    var dark = wanted ? wanted === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
    document.documentElement.classList.add(dark ? 'dark' : 'light')
})()
