package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Operation;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData.CredentialInfo;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData.DescribeUserScramCredentialsResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists users with their mechanisms and iterations, without what their passwords could be guessed from (KIP-554). */
@Component
@Serves(key = Apis.DESCRIBE_USER_SCRAM_CREDENTIALS)
public final class DescribeUserScramCredentialsHandler
        implements RequestHandler<DescribeUserScramCredentialsRequestData, DescribeUserScramCredentialsResponseData> {
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public DescribeUserScramCredentialsHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeUserScramCredentialsResponseData> handle(
            DescribeUserScramCredentialsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE, now -> describe(request))
                .exceptionally(failure -> refused(failure, context));
    }

    /** Kafka's form of a refusal needs the names of users, and a request for all users has none. */
    private static DescribeUserScramCredentialsResponseData refused(Throwable failure, RequestContext context) {
        return new DescribeUserScramCredentialsResponseData()
                .setErrorCode(Failures.codeOf(failure, context).code())
                .setErrorMessage(Failures.messageOf(failure));
    }

    private CompletionStage<DescribeUserScramCredentialsResponseData> describe(
            DescribeUserScramCredentialsRequestData request) {
        Map<String, Map<ScramMechanism, ScramCredential>> users =
                metadata.view().security().users();
        DescribeUserScramCredentialsResponseData response =
                new DescribeUserScramCredentialsResponseData().setErrorMessage(null);
        if (request.users() == null || request.users().isEmpty()) {
            new TreeMap<>(users)
                    .forEach((user, credentials) -> response.results().add(described(user, credentials)));
        } else {
            timesAsked(request).forEach((user, times) -> response.results()
                    .add(times > 1 ? twice(user) : described(user, users.getOrDefault(user, Map.of()))));
        }
        return CompletableFuture.completedFuture(response);
    }

    private static Map<String, Integer> timesAsked(DescribeUserScramCredentialsRequestData request) {
        Map<String, Integer> times = new LinkedHashMap<>();
        request.users().forEach(user -> times.merge(user.name(), 1, Integer::sum));
        return times;
    }

    private static DescribeUserScramCredentialsResult described(
            String user, Map<ScramMechanism, ScramCredential> credentials) {
        DescribeUserScramCredentialsResult result =
                new DescribeUserScramCredentialsResult().setUser(user).setErrorMessage(null);
        if (credentials.isEmpty()) {
            return result.setErrorCode(ErrorCode.RESOURCE_NOT_FOUND.code())
                    .setErrorMessage("Attempt to describe a user credential that does not exist: " + user);
        }
        new TreeMap<>(credentials).forEach((mechanism, credential) -> result.credentialInfos()
                .add(new CredentialInfo().setMechanism(mechanism.code()).setIterations(credential.iterations())));
        return result;
    }

    private static DescribeUserScramCredentialsResult twice(String user) {
        return new DescribeUserScramCredentialsResult()
                .setUser(user)
                .setErrorCode(ErrorCode.DUPLICATE_RESOURCE.code())
                .setErrorMessage(
                        "Cannot describe SCRAM credentials for the same user twice in a single request: " + user);
    }
}
