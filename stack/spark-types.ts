import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackProgress } from './progress.ts';
import { provision } from './provision.ts';
import { versions } from './versions.ts';

// `npm run spark:types`: makes src/connectors/spark/generated from the .proto files in Spark's own jar, with what the client
// does not speak of left out.

const run = promisify(execFile);
const BUF = '@bufbuild/buf@1.75.0';
const GENERATOR = '@bufbuild/protoc-gen-es@2.17.0';

const methods = ['ExecutePlan', 'ReattachExecute', 'ReleaseSession', 'Interrupt', 'FetchErrorDetails'];

/** Ways to describe a query other than SQL, and answers to commands that are never given. */
const leftOut = `
  Project Filter Join SetOperation Sort Limit Aggregate LocalRelation Sample Offset Deduplicate Range SubqueryAlias Repartition ToDF
  WithColumnsRenamed ShowString Drop Tail WithColumns Hint Unpivot ToSchema RepartitionByExpression MapPartitions CollectMetrics Parse
  GroupMap CoGroupMap WithWatermark ApplyInPandasWithState HtmlString CachedLocalRelation CachedRemoteRelation
  CommonInlineUserDefinedTableFunction AsOfJoin CommonInlineUserDefinedDataSource WithRelations Transpose
  UnresolvedTableValuedFunction LateralJoin ChunkedCachedLocalRelation NAFill NADrop NAReplace StatSummary StatCrosstab StatDescribe
  StatCov StatCorr StatApproxQuantile StatFreqItems StatSampleBy Catalog MlRelation Unknown CommonInlineUserDefinedFunction
  WriteOperation WriteOperationV2 WriteStreamOperationStart StreamingQueryCommand GetResourcesCommand StreamingQueryManagerCommand
  StreamingQueryListenerBusCommand CreateResourceProfileCommand CheckpointCommand RemoveCachedRemoteRelationCommand
  MergeIntoTableCommand MlCommand ExecuteExternalCommand PipelineCommand WriteStreamOperationStartResult StreamingQueryCommandResult
  GetResourcesCommandResult StreamingQueryManagerCommandResult StreamingQueryListenerEventsResult CreateResourceProfileCommandResult
  CheckpointCommandResult MlCommandResult PipelineEventResult PipelineCommandResult PipelineQueryFunctionExecutionSignal`;

const home = await provision({ name: 'spark', version: versions.spark }, new StackProgress());
const folder = await mkdtemp(join(tmpdir(), 'sluice-spark-types-'));
try {
  const jar = join(home, 'jars', `spark-connect_2.13-${versions.spark}.jar`);
  const wanted = ['spark/connect/*.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'];
  await run('unzip', ['-q', jar, ...wanted, '-x', 'spark/connect/example_plugins.proto', '-d', join(folder, 'proto')]);
  await run('npm', ['install', '--silent', '--no-save', '--prefix', folder, BUF, GENERATOR]);
  const template = {
    version: 'v2',
    plugins: [
      {
        local: join(folder, 'node_modules', '.bin', 'protoc-gen-es'),
        out: join(import.meta.dirname, '..', 'src', 'connectors', 'spark', 'generated'),
        opt: ['target=js+dts', 'import_extension=js'],
      },
    ],
    inputs: [
      {
        directory: join(folder, 'proto'),
        types: [
          ...methods.map((name) => `spark.connect.SparkConnectService.${name}`),
          'google.rpc.Status',
          'google.rpc.ErrorInfo',
        ],
        exclude_types: leftOut
          .trim()
          .split(/\s+/)
          .map((name) => `spark.connect.${name}`),
      },
    ],
  };
  await writeFile(join(folder, 'buf.gen.yaml'), JSON.stringify(template));
  await run(join(folder, 'node_modules', '.bin', 'buf'), ['generate'], { cwd: folder });
} finally {
  await rm(folder, { recursive: true, force: true });
}
