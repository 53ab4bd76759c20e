package io.felice.plugins;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The settings of the bundle. */
@ObjectClassDefinition(name = "Felice: plugins", description = "The directory of plugins, and what may be in it.")
@interface PluginSettings {
    @AttributeDefinition(
            description = "The directory of the plugins. The versions that a rollback brings back are beside it, in a"
                    + " directory whose name ends with -kept. Changed at the next start of the node.")
    String directory() default "data/plugins";

    @AttributeDefinition(
            min = "100",
            max = "60000",
            description = "How often the directory is looked at, in milliseconds.")
    int poll_ms() default 1_000;

    @AttributeDefinition(
            min = "100",
            max = "600000",
            description = "How long the start, the stop, or the activation of a component of a plugin may take, in"
                    + " milliseconds. What takes longer hangs: a plugin whose start hangs is left out, and an upgrade is"
                    + " taken back.")
    int patience_ms() default 10_000;

    @AttributeDefinition(min = "1", description = "The most bytes of a file in the directory.")
    long max_file_bytes() default 268_435_456L;

    @AttributeDefinition(
            min = "1",
            description = "The most bytes of a file when it is unpacked, with the jars inside of it.")
    long max_unpacked_bytes() default 1_073_741_824L;

    @AttributeDefinition(
            description = "A file with the certificates, in PEM, whose signatures on plugins are trusted: those of the"
                    + " signers or of their authorities. Empty: none.")
    String trusted_certificates() default "";

    @AttributeDefinition(
            description =
                    "Whether a plugin without a trusted signature is left out. Plugins that run already stay until"
                            + " the next start of the node.")
    boolean signature_required() default false;

    @AttributeDefinition(
            min = "1000",
            max = "90000",
            description =
                    "How long the plugins may take to stop when the node stops and everything else has stopped, in"
                            + " milliseconds. Then the process ends without them.")
    int stop_ms() default 10_000;
}
