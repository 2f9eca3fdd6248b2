package io.kvorum.server.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFormsTest {
  private final JsonForms forms = new JsonForms();

  @Test
  void answers_have_the_names_of_the_definition_and_nothing_unset() {
    RangeResponse response =
        RangeResponse.newBuilder()
            .setHeader(ResponseHeader.newBuilder().setClusterId(-1).setRevision(7))
            .addKvs(KeyValue.newBuilder().setKey(ByteString.copyFrom(new byte[] {(byte) 0xfb, (byte) 0xff})).setCreateRevision(3))
            .setCount(1)
            .build();
    assertThat(forms.write(response))
        .isEqualTo("{\"header\":{\"cluster_id\":\"18446744073709551615\",\"revision\":\"7\"},\"kvs\":[{\"key\":\"+/8=\",\"create_revision\":\"3\"}],\"count\":\"1\"}");
  }

  @Test
  void enumerations_are_written_by_name_and_the_unset_choice_of_a_union_is_written() {
    Compare compare = Compare.newBuilder().setTarget(Compare.CompareTarget.CREATE).setResult(Compare.CompareResult.GREATER).setCreateRevision(0).build();
    assertThat(forms.write(compare)).isEqualTo("{\"result\":\"GREATER\",\"target\":\"CREATE\",\"create_revision\":\"0\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"key\":\"+/8=\",\"range_end\":\"+/8=\",\"limit\":\"5\",\"sort_order\":\"DESCEND\",\"keys_only\":true}",
        "{\"key\":\"-_8=\",\"rangeEnd\":\"-_8\",\"limit\":5,\"sortOrder\":2,\"keysOnly\":true}",
        "{\"key\":\"+/8\",\"range_end\":\"+/8=\",\"limit\":5.0,\"sort_order\":\"DESCEND\",\"keys_only\":true,\"none\":{\"a\":[1,null]},\"serializable\":null}"
      })
  void requests_are_read_in_all_forms(String json) throws Exception {
    ByteString bytes = ByteString.copyFrom(new byte[] {(byte) 0xfb, (byte) 0xff});
    RangeRequest expected =
        RangeRequest.newBuilder().setKey(bytes).setRangeEnd(bytes).setLimit(5).setSortOrder(RangeRequest.SortOrder.DESCEND).setKeysOnly(true).build();
    assertThat(forms.read(json, RangeRequest.getDefaultInstance())).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "null", "\"a\"", "{", "{\"key\":5}", "{\"key\":\"?\"}", "{\"limit\":\"x\"}", "{\"limit\":1.5}", "nonsense"})
  void what_is_no_request_is_refused(String json) {
    assertThatThrownBy(() -> forms.read(json, RangeRequest.getDefaultInstance())).isInstanceOf(InvalidProtocolBufferException.class);
  }

  /** As etcd 3.6.16 answers. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{|unexpected EOF",
        "[]|proto: syntax error (line 1:1): unexpected token [",
        "null|proto: syntax error (line 1:1): unexpected token null",
        "\"a\"|proto: syntax error (line 1:1): unexpected token \"a\"",
        "5|proto: syntax error (line 1:1): unexpected token 5",
        "nonsense|invalid character 'o' in literal null (expecting 'u')",
        "tru|unexpected EOF",
        "{\"key\": 5}|proto: (line 1:9): invalid value for bytes field key: 5",
        "{\"key\": \"?\"}|proto: (line 1:9): invalid value for bytes field key: \"?\"",
        "{\"key\":[\"a\"]}|proto: (line 1:8): invalid value for bytes field key: [",
        "{\"key\":\"YQ==\",\"limit\":\"x\"}|proto: (line 1:23): invalid value for int64 field limit: \"x\"",
        "{\"key\":\"YQ==\",\"limit\":1.5}|proto: (line 1:23): invalid value for int64 field limit: 1.5",
        "{\"limit\":99999999999999999999}|proto: (line 1:10): invalid value for int64 field limit: 99999999999999999999",
        "{\"key\":\"YQ==\",\"keys_only\":\"yes\"}|proto: (line 1:27): invalid value for bool field keysOnly: \"yes\"",
        "{\"key\":\"YQ==\",\"key\":\"YQ==\"}|proto: (line 1:15): duplicate field \"key\"",
        "{\"key\":\"YQ==\",\"limit\":\"+5\"}|proto: (line 1:23): invalid value for int64 field limit: \"+5\"",
        "{\"key\":\"YQ==\",\"limit\":05}|invalid character '5' after object key:value pair",
        "{\"key\":\"YQ=\"}|proto: (line 1:8): invalid value for bytes field key: \"YQ=\"",
        "{\u00e9}|invalid character '\u00c3' looking for beginning of object key string",
        "{\"key\":}|invalid character '}' looking for beginning of value",
        "{'key':1}|invalid character '\\'' looking for beginning of object key string",
        "{\"key\":\"YQ==\",}|invalid character '}' looking for beginning of object key string",
        "{\"key\" \"x\"}|invalid character '\"' after object key",
        "{\"a\":1]|invalid character ']' after object key:value pair",
        "{\"key\":\"\\x\"}|invalid character 'x' in string escape code",
        "{\"key\":\"YQ==\"|unexpected EOF"
      })
  void refusals_have_the_words_of_etcd(String json, String complaint) {
    assertThatThrownBy(() -> forms.read(json, RangeRequest.getDefaultInstance())).hasMessage(complaint);
  }

  @Test
  void what_is_inside_of_messages_and_lists_is_looked_at_too() throws Exception {
    TxnRequest empty = TxnRequest.getDefaultInstance();
    assertThat(forms.read("{\"compare\":[{\"key\":\"YQ==\",\"version\":\"1e2\",\"target\":null}],\"success\":null,\"failure\":[]}", empty))
        .isEqualTo(TxnRequest.newBuilder().addCompare(Compare.newBuilder().setKey(ByteString.copyFromUtf8("a")).setVersion(100)).build());
    assertThatThrownBy(() -> forms.read("{\"compare\":[{\"version\":true}]}", empty)).hasMessage("proto: (line 1:24): invalid value for int64 field version: true");
    assertThatThrownBy(() -> forms.read("{\"compare\":[\n 5]}", empty)).hasMessage("proto: syntax error (line 2:2): unexpected token 5");
    assertThatThrownBy(() -> forms.read("{\"compare\":{}}", empty)).hasMessage("proto: syntax error (line 1:12): unexpected token {");
    assertThatThrownBy(() -> forms.read("{\"compare\":[{\"key\":\"YQ==\",\"version\":1,\"mod_revision\":2}]}", empty))
        .hasMessage("proto: (line 1:39): error parsing \"mod_revision\", oneof etcdserverpb.Compare.target_union is already set");
    assertThatThrownBy(() -> forms.read("{\"compare\":[{\"target\":1.5}]}", empty)).hasMessage("proto: (line 1:23): invalid value for enum field target: 1.5");
    assertThatThrownBy(() -> forms.read("{\"x\":" + "[".repeat(20_000), empty)).hasMessage("exceeded max depth");
  }

  @ParameterizedTest
  @CsvSource({
    "1,499", "2,500", "3,400", "4,504", "5,404", "6,409", "7,403", "8,429", "9,400", "10,409", "11,400", "12,501", "13,500", "14,503", "15,500", "16,401"
  })
  void codes_become_statuses(int code, int http) {
    Status status = Status.fromCodeValue(code).withDescription("\"why\" <&>");
    assertThat(forms.refusal(status).status()).isEqualTo(http);
    assertThat(new String(forms.errorLine(status), java.nio.charset.StandardCharsets.UTF_8)).startsWith("{\"error\":{\"code\":" + code + ",\"message\":\"\\\"why\\\" ").endsWith("}\n");
  }

  @Test
  void values_are_cut_apart() {
    JsonValues values = new JsonValues(" {\"a\":\"}\\\"{\"}\n{\"b\":[{}]}{}  true\r\n{\"open\":");
    List<String> all = new ArrayList<>();
    while (values.hasNext()) {
      all.add(values.next());
    }
    assertThat(all).containsExactly("{\"a\":\"}\\\"{\"}", "{\"b\":[{}]}", "{}", "true", "{\"open\":");
    assertThat(new JsonValues(" \n").hasNext()).isFalse();
  }

  @Test
  void paths_come_from_the_definition() {
    Map<String, GatewayMethod> methods = GatewayMethod.byPath(List.of(KVGrpc.getServiceDescriptor(), LeaseGrpc.getServiceDescriptor()));
    assertThat(methods)
        .containsKeys(
            "/v3/kv/range", "/v3/kv/put", "/v3/kv/deleterange", "/v3/kv/txn", "/v3/kv/compaction", "/v3/lease/grant", "/v3/lease/revoke", "/v3/kv/lease/revoke",
            "/v3/lease/timetolive", "/v3/kv/lease/timetolive", "/v3/lease/leases", "/v3/kv/lease/leases", "/v3/lease/keepalive");
    Message put = methods.get("/v3/kv/put").request();
    assertThat(put).isEqualTo(PutRequest.getDefaultInstance());
    assertThat(methods.get("/v3/lease/keepalive").takesManyRequests()).isTrue();
  }
}
