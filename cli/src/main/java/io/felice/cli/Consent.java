package io.felice.cli;

import picocli.CommandLine.Option;

/** Whether a command that cannot be taken back may go on. */
final class Consent {
    @Option(
            names = {"-y", "--yes"},
            order = 80,
            description = "Does not ask. Needed where no terminal can be asked.")
    boolean yes;

    @Option(names = "--dry-run", order = 81, description = "Shows what would happen and changes nothing.")
    boolean dryRun;

    private final Terminal terminal;

    Consent(Terminal terminal) {
        this.terminal = terminal;
    }

    /**
     * Asks, unless that is not wanted.
     *
     * @throws CliFailure if somebody is asked and disagrees, or nobody can be asked
     */
    void require(String question) {
        if (yes) {
            return;
        }
        if (!terminal.canAsk()) {
            throw CliFailure.usage(
                    "Nobody can be asked: " + question, "Give --yes, or --dry-run to see what would happen.");
        }
        if (!terminal.agrees(question)) {
            throw new CliFailure(CliFailure.FAILED, "REFUSED", "Nothing was changed.", null);
        }
    }
}
