package io.felice.itests.clients;

import java.util.List;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsRequestData.AclCreation;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsRequestData.DeleteAclsFilter;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** One valid request for each API about users, ACLs and quotas. */
final class ValidSecurityRequests {
    private static final byte ANY = 1;
    private static final byte TOPIC = 2;
    private static final byte LITERAL = 3;
    private static final byte READ = 3;
    private static final byte ALLOW = 3;
    private static final byte SHA_256 = 1;

    private ValidSecurityRequests() {}

    static ApiMessage of(ApiKeys key) {
        return switch (key) {
            case DESCRIBE_ACLS -> new DescribeAclsRequestData()
                    .setResourceTypeFilter(ANY)
                    .setResourceNameFilter(null)
                    .setPatternTypeFilter(ANY)
                    .setPrincipalFilter(null)
                    .setHostFilter(null)
                    .setOperation(ANY)
                    .setPermissionType(ANY);
            case CREATE_ACLS -> new CreateAclsRequestData()
                    .setCreations(List.of(new AclCreation()
                            .setResourceType(TOPIC)
                            .setResourceName("t")
                            .setResourcePatternType(LITERAL)
                            .setPrincipal("User:alice")
                            .setHost("*")
                            .setOperation(READ)
                            .setPermissionType(ALLOW)));
            case DELETE_ACLS -> new DeleteAclsRequestData()
                    .setFilters(List.of(new DeleteAclsFilter()
                            .setResourceTypeFilter(TOPIC)
                            .setResourceNameFilter("t")
                            .setPatternTypeFilter(LITERAL)
                            .setPrincipalFilter(null)
                            .setHostFilter(null)
                            .setOperation(ANY)
                            .setPermissionType(ANY)));
            case DESCRIBE_CLIENT_QUOTAS -> new DescribeClientQuotasRequestData();
            case ALTER_CLIENT_QUOTAS -> new AlterClientQuotasRequestData()
                    .setEntries(List.of(new AlterClientQuotasRequestData.EntryData()
                            .setEntity(List.of(new AlterClientQuotasRequestData.EntityData()
                                    .setEntityType("user")
                                    .setEntityName("nobody")))
                            .setOps(List.of(new AlterClientQuotasRequestData.OpData()
                                    .setKey("producer_byte_rate")
                                    .setValue(1_000_000)))));
            case DESCRIBE_USER_SCRAM_CREDENTIALS -> new DescribeUserScramCredentialsRequestData().setUsers(null);
            case ALTER_USER_SCRAM_CREDENTIALS -> new AlterUserScramCredentialsRequestData()
                    .setUpsertions(List.of(new ScramCredentialUpsertion()
                            .setName("nobody")
                            .setMechanism(SHA_256)
                            .setIterations(4096)
                            .setSalt(new byte[16])
                            .setSaltedPassword(new byte[32])));
            default -> throw new AssertionError("no request is known for " + key);
        };
    }
}
