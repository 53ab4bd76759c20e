package org.example.felice;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Refuses topics with other names than agreed or too many partitions, and the deletion of topics that are kept. */
@Component(property = TopicPolicy.NAME + "=topics", configurationPid = "org.example.felice.topics")
@Designate(ocd = AgreedTopics.Config.class)
public final class AgreedTopics implements TopicPolicy {
    @ObjectClassDefinition(name = "Rules for topics", description = "Which topics may be made and deleted.")
    public @interface Config {
        @AttributeDefinition(description = "A regular expression that the whole name of a new topic has to match.")
        String names() default "[a-z0-9]+(-[a-z0-9]+)*";

        @AttributeDefinition(description = "The most partitions of a topic.", min = "1")
        int partitions() default 100;

        @AttributeDefinition(description = "The names of topics that nobody may delete, separated by commas.")
        String[] kept() default {};
    }

    private final Pattern names;
    private final int partitions;
    private final Set<String> kept;

    @Activate
    public AgreedTopics(Config config) {
        names = Pattern.compile(config.names());
        partitions = config.partitions();
        kept = Set.of(config.kept());
    }

    @Override
    public Optional<String> refusal(TopicChange change) {
        if (change instanceof TopicChange.Creation creation) {
            return names.matcher(creation.topic()).matches()
                    ? tooMany(creation.partitions())
                    : Optional.of("The name of a topic has to match " + names + ".");
        } else if (change instanceof TopicChange.MorePartitions more) {
            return tooMany(more.after());
        } else if (change instanceof TopicChange.Deletion && kept.contains(change.topic())) {
            return Optional.of("This topic is kept.");
        }
        return Optional.empty();
    }

    private Optional<String> tooMany(int wanted) {
        return wanted <= partitions
                ? Optional.empty()
                : Optional.of("A topic has at most " + partitions + " partitions, not " + wanted + ".");
    }
}
