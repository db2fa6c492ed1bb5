package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// printer shows each trace as a tree. It stands where a program of yours has an
// exporter, such as that of package otlptracehttp.
type printer struct {
	out io.Writer

	mu       sync.Mutex
	children map[string][]sdktrace.ReadOnlySpan // of spans that have not ended, by their ids
}

// ExportSpans implements sdktrace.SpanExporter.
func (p *printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, span := range spans {
		if parent := span.Parent(); parent.HasSpanID() {
			p.children[parent.SpanID().String()] = append(p.children[parent.SpanID().String()], span)
			continue
		}
		p.print(span, 0)
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (p *printer) Shutdown(context.Context) error { return nil }

func (p *printer) print(span sdktrace.ReadOnlySpan, depth int) {
	line := fmt.Sprintf("%s%-*s %8s", strings.Repeat("  ", depth), 22-2*depth, span.Name(),
		span.EndTime().Sub(span.StartTime()).Round(100*time.Microsecond))
	for _, a := range span.Attributes() {
		if isShown(a.Key) {
			line += fmt.Sprintf("  %s=%s", a.Key, a.Value.String())
		}
	}
	if span.Status().Code == codes.Error {
		line += "  (error)"
	}
	fmt.Fprintln(p.out, line)
	id := span.SpanContext().SpanID().String()
	for _, child := range p.children[id] {
		p.print(child, depth+1)
	}
	delete(p.children, id)
}

// isShown leaves out what the tree shows otherwise.
func isShown(key attribute.Key) bool {
	return !slices.Contains([]attribute.Key{
		"videosdk.operation", "videosdk.request_id", "server.address", "server.port", "http.request.method",
	}, key)
}

// printMetrics shows the totals.
func printMetrics(out io.Writer, all metricdata.ResourceMetrics) {
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				var total int64
				for _, point := range data.DataPoints {
					total += point.Value
				}
				fmt.Fprintf(out, "%-30s %d\n", m.Name, total)
			case metricdata.Histogram[float64]:
				var count uint64
				var sum float64
				for _, point := range data.DataPoints {
					count, sum = count+point.Count, sum+point.Sum
				}
				fmt.Fprintf(out, "%-30s %d attempts, %.1f ms on average\n", m.Name, count, sum/float64(max(count, 1))*1000)
			}
		}
	}
}
