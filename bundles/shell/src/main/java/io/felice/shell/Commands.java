package io.felice.shell;

import java.io.PrintStream;

/** Runs a line of shell commands. */
interface Commands {

    /** Prints the output of the commands. A failure is printed as one line, and the result is false. */
    boolean run(String line, PrintStream output);
}
