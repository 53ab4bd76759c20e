package io.felice.shell;

import java.io.PrintStream;

/** What runs a line of commands and prints what they print. */
interface Commands {

    /** Runs the line; a failure is printed as one line and returned as false. */
    boolean run(String line, PrintStream output);
}
