package io.kvorum.server.admin;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.DescribeRequest;
import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.protocol.v1.OptionChange;
import io.kvorum.protocol.v1.ReloadRequest;
import io.kvorum.protocol.v1.ReloadResponse;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.config.Options;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** kvorum.v1.Admin. Its calls read files, away from the event loops. */
public final class AdminService extends AdminGrpc.AdminImplBase {
  private final Kernel kernel;
  private final Description description;
  private final Reloader reloader;
  private final Executor workers;

  /**
   * @param workers where files are read; bounded, a refusal is answered with TOO_MANY_REQUESTS
   */
  public AdminService(Kernel kernel, Description description, Reloader reloader, Executor workers) {
    this.kernel = kernel;
    this.description = description;
    this.reloader = reloader;
    this.workers = workers;
  }

  @Override
  public void describe(DescribeRequest request, StreamObserver<DescribeResponse> observer) {
    run(
        observer,
        () -> {
          DescribeResponse answer;
          try {
            answer = description.now().addAllRestartPending(reloader.waiting()).build();
          } catch (IOException e) {
            observer.onError(Status.INTERNAL.withDescription("cannot read the data directory: " + e.getMessage()).asRuntimeException());
            return;
          }
          observer.onNext(answer);
          observer.onCompleted();
        });
  }

  @Override
  public void reload(ReloadRequest request, StreamObserver<ReloadResponse> observer) {
    run(
        observer,
        () -> {
          switch (reloader.reload()) {
            case Reloader.Outcome.Refused refused -> observer.onError(Status.FAILED_PRECONDITION.withDescription(refused.reason()).asRuntimeException());
            case Reloader.Outcome.Taken taken -> {
              observer.onNext(answer(taken));
              observer.onCompleted();
            }
          }
        });
  }

  private ReloadResponse answer(Reloader.Outcome.Taken taken) {
    return ReloadResponse.newBuilder()
        .setHeader(kernel.header())
        .addAllChanged(changes(taken.options().changed()))
        .addAllRestartNeeded(changes(taken.options().waiting()))
        .setConfigHash(taken.options().config().options().hash())
        .addAllCertificates(description.certificates().list())
        .setTlsChanged(taken.tlsChanged())
        .build();
  }

  private static List<OptionChange> changes(List<Options.Change> changes) {
    return changes.stream()
        .map(change -> OptionChange.newBuilder().setName(change.name()).setBefore(change.before()).setAfter(change.after()).build())
        .toList();
  }

  private void run(StreamObserver<?> observer, Runnable work) {
    try {
      workers.execute(work);
    } catch (RejectedExecutionException e) {
      observer.onError(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }
}
