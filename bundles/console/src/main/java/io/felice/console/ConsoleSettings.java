package io.felice.console;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The settings of the console. */
@ObjectClassDefinition(name = "Felice: console", description = "Where the console listens, and who may see what in it.")
public @interface ConsoleSettings {
    @AttributeDefinition(
            description =
                    "The address at which the console listens. An empty one stands for all addresses; set authorizer = acl"
                            + " before, because without rights the console answers only clients on its own machine.")
    String host() default "127.0.0.1";

    @AttributeDefinition(
            description = "The port at which the console listens; 0 for any free one, -1 for none.",
            min = "-1",
            max = "65535")
    int port() default 8181;

    @AttributeDefinition(
            description =
                    "The file with the certificate and key of the console, in the format PKCS12. With it the console"
                            + " listens by TLS only.")
    String tls_keystore() default "";

    @AttributeDefinition(description = "The password of this file.")
    String tls_keystore_password() default "";

    @AttributeDefinition(
            description =
                    "Origins such as https://felice.example.org, separated by commas, whose pages may use the API. The"
                            + " console's own origin need not be among them, unless a proxy changes the header Host.")
    String origins() default "";

    @AttributeDefinition(
            description = "After how many minutes without a request a session ends.",
            min = "1",
            max = "10080")
    int session_idle_minutes() default 120;

    @AttributeDefinition(description = "After how many hours a session ends in any case.", min = "1", max = "720")
    int session_hours() default 12;

    @AttributeDefinition(
            description =
                    "Whether users may read records in the console if they have the right to read the topic. Off: nobody"
                            + " sees keys, values and headers in the console of this node.")
    boolean records_readable() default true;

    @AttributeDefinition(
            description = "Whether /metrics answers without a login. Its numbers name no topic, group or user.")
    boolean metrics_open() default true;

    @AttributeDefinition(description = "The largest file that can be uploaded, in bytes.", min = "1048576")
    long upload_max_bytes() default 268_435_456L;

    @AttributeDefinition(description = "A name for the cluster that the pages show, for example production.")
    String cluster_name() default "";

    @AttributeDefinition(
            description = "A colour for the cluster that the pages show, as in style sheets, for example #b00020.")
    String cluster_colour() default "";
}
