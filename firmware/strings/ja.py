"""The printer's texts in Japanese; see catalog.py."""

TEXT = """\
"job-state.3" = "待機中";
"job-state.4" = "保留中";
"job-state.5" = "印刷中";
"job-state.6" = "停止";
"job-state.7" = "取消済み";
"job-state.8" = "中止";
"job-state.9" = "完了";
"notify-events.printer-config-changed" = "設定変更";
"notify-events.printer-queue-order-changed" = "ジョブの順序変更";
"printer-state.3" = "待機中";
"printer-state.4" = "印刷中";
"printer-state.5" = "停止";
"printwright.job" = "ジョブ %d";
"printwright.printer" = "プリンター";
"printwright.resource" = "リソース %d";
"resource-state.3" = "待機中";
"resource-state.4" = "利用可能";
"resource-state.5" = "インストール済み";
"resource-state.6" = "取消済み";
"resource-state.7" = "中止";
"""
