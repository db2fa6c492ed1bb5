package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
)

// person is a row of the list.
type person struct {
	number   string
	metadata map[string]any
}

// readPeople reads the list. A number that is there twice is one person.
func readPeople(list []byte) (people []person, err error) {
	rows, column, err := readRows(list)
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		p := person{number: row[column], metadata: map[string]any{}}
		for i, name := range rows[0] {
			if i != column {
				p.metadata[strings.TrimSpace(name)] = row[i]
			}
		}
		people = append(people, p)
	}
	return people, nil
}

// eachOnce returns the list without the rows of numbers that it has already:
// VideoSDK may call every row.
func eachOnce(list []byte) ([]byte, error) {
	rows, _, err := readRows(list)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = csv.NewWriter(&out).WriteAll(rows)
	return out.Bytes(), err
}

// readRows returns the first row of the list, which names the columns, the first
// row of each number, and which column holds those.
func readRows(list []byte) (rows [][]string, column int, err error) {
	rows, err = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(list, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, 0, err
	}
	column = -1
	if len(rows) > 0 {
		column = slices.IndexFunc(rows[0], func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "phoneNumber") })
	}
	if column < 0 {
		return nil, 0, errors.New("the first row of the list must name a column phoneNumber")
	}
	seen := map[string]bool{}
	people := slices.DeleteFunc(rows[1:], func(row []string) bool {
		number := strings.TrimSpace(row[column])
		again := seen[number]
		row[column], seen[number] = number, true
		return again
	})
	return rows[:1+len(people)], column, nil
}
