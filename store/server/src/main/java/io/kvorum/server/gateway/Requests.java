package io.kvorum.server.gateway;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;

/** The requests of one call, read one at a time. The first that cannot be read ends them, as in etcd. */
final class Requests {
  private static final System.Logger LOG = System.getLogger(Requests.class.getName());

  private final JsonValues values;
  private final Message empty;
  private final JsonForms forms;
  private Message ready;

  Requests(JsonValues values, Message empty, JsonForms forms) {
    this.values = values;
    this.empty = empty;
    this.forms = forms;
  }

  static Requests one(Message message) {
    Requests requests = new Requests(new JsonValues(""), message, null);
    requests.ready = message;
    return requests;
  }

  /** The next request, or null after the last. */
  Message next() {
    if (ready != null) {
      Message only = ready;
      ready = null;
      return only;
    }
    if (!values.hasNext()) {
      return null;
    }
    try {
      return forms.read(values.next(), empty);
    } catch (InvalidProtocolBufferException wrong) {
      LOG.log(System.Logger.Level.DEBUG, "a request of a stream cannot be read", wrong);
      return null;
    }
  }
}
