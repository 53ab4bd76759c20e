package io.felice.testkit;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Shows that {@link TopicPolicyContract} catches wrong policies. */
public abstract class TopicPolicyBugsContract extends PluginBugsContract<TopicPolicy, TopicPolicyContract> {
    private static final int LEAST_BUGS = 15;
    private static final int TOO_LONG_MS = 20_000;

    protected TopicPolicyBugsContract() {
        super(TopicPolicyContract.class, LEAST_BUGS);
    }

    private static boolean isKnown(TopicChange change) {
        return change instanceof TopicChange.Creation
                || change instanceof TopicChange.MorePartitions
                || change instanceof TopicChange.OtherConfigs
                || change instanceof TopicChange.Deletion;
    }

    private static Optional<String> failing(String why) {
        throw new IllegalStateException(why);
    }

    @Override
    List<PluginBug<TopicPolicy>> bugs() {
        List<PluginBug<TopicPolicy>> bugs = new java.util.ArrayList<>(ofAnswers());
        bugs.addAll(ofState());
        return bugs;
    }

    private static List<PluginBug<TopicPolicy>> ofAnswers() {
        return List.of(
                new PluginBug<>("allows everything", "whatHasToBeRefusedIsRefused", good -> change -> Optional.empty()),
                new PluginBug<>(
                        "refuses everything it knows",
                        "whatHasToBeAllowedIsAllowed",
                        good -> change -> isKnown(change) ? Optional.of("No.") : Optional.empty()),
                new PluginBug<>(
                        "answers null instead of empty",
                        "whatHasToBeAllowedIsAllowed",
                        good -> change -> good.refusal(change).isEmpty() ? null : good.refusal(change)),
                new PluginBug<>(
                        "throws instead of refusing",
                        "whatHasToBeRefusedIsRefused",
                        good -> change -> good.refusal(change).isPresent() ? failing("no") : Optional.empty()),
                new PluginBug<>(
                        "gives no reason",
                        "aReasonIsASentenceOnOneLine",
                        good -> change -> good.refusal(change).map(reason -> "")),
                new PluginBug<>(
                        "gives a stack trace as the reason",
                        "aReasonIsASentenceOnOneLine",
                        good -> change -> good.refusal(change).map(reason -> reason + "\n\tat org.example.Policy")),
                new PluginBug<>(
                        "gives an endless reason",
                        "aReasonIsASentenceOnOneLine",
                        good -> change -> good.refusal(change).map(reason -> reason.repeat(1_000))),
                new PluginBug<>(
                        "refuses what it does not know",
                        "aKindOfChangeThatThePolicyDoesNotKnowIsAllowed",
                        good -> change -> isKnown(change) ? good.refusal(change) : Optional.of("Unknown.")),
                new PluginBug<>(
                        "throws for what it does not know",
                        "aKindOfChangeThatThePolicyDoesNotKnowIsAllowed",
                        good -> change -> isKnown(change) ? good.refusal(change) : failing("unknown")),
                new PluginBug<>(
                        "needs a config that a topic need not have",
                        "everyTopicThatKafkaAllowsGetsAnAnswer",
                        good -> change -> change instanceof TopicChange.Creation created
                                        && Long.parseLong(created.configs().get("retention.ms")) == 0
                                ? Optional.of("Nothing would be kept.")
                                : good.refusal(change)),
                new PluginBug<>(
                        "needs names of four letters",
                        "everyTopicThatKafkaAllowsGetsAnAnswer",
                        good -> change -> change.topic().substring(0, 4).equals("####")
                                ? Optional.of("No.")
                                : good.refusal(change)));
    }

    private static List<PluginBug<TopicPolicy>> ofState() {
        return List.of(
                new PluginBug<>("remembers its first answer", "anAnswerDependsOnTheChangeAlone", good -> {
                    Map<String, Optional<String>> known = new ConcurrentHashMap<>();
                    return change -> known.computeIfAbsent("", first -> good.refusal(change));
                }),
                new PluginBug<>("allows what is repeated", "anAnswerDependsOnTheChangeAlone", good -> {
                    Set<TopicChange> seen = ConcurrentHashMap.newKeySet();
                    return change -> seen.add(change) ? good.refusal(change) : Optional.empty();
                }),
                new PluginBug<>("keeps the change in a field", "changesAtTheSameTimeDoNotMixUp", good -> {
                    TopicChange[] field = new TopicChange[1];
                    return change -> {
                        field[0] = change;
                        Texts.pause();
                        return good.refusal(field[0]);
                    };
                }),
                new PluginBug<>("never answers", "whatHasToBeAllowedIsAllowed", good -> change -> {
                    try {
                        Thread.sleep(TOO_LONG_MS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return good.refusal(change);
                }));
    }
}
